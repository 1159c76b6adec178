# Types for engine.py, where Cython compiles it: the same text, with C calls for what is done most.

cimport cython

from chainrule.core cimport stale
from chainrule.core.operation cimport Operation, number
from chainrule.storage.fields cimport giver
from chainrule.storage.memory cimport (
    add_back, append_operands, doubtful, edge_at, end_with_release, make_leaf, new_marks, new_result, new_pair, remade, renew,
    set_aside, unlikely, watch,
)
from chainrule.storage.native cimport compute, table_names
from chainrule.storage.nodes cimport FACE, Edge, Node, Nodes, give_methods, node_of, row_of, value_of
from chainrule.storage.value_base cimport ValueBase, check_step, compares_numbers

cdef list open_modes
cdef Operation ADD, SUB, MUL, DIV, POW, NEG, ABS, LT, LE, GT, GE, EQ, NE


cdef class Value(ValueBase):
    pass


cdef inline int fill_value_and_locals(ValueBase node) except -1:
    if node is None:  # an array takes over
        return 0
    cdef Node* face = node_of(node)
    if unlikely(face._flags & FACE):
        compute(face._edges_[0].operand)
        face._data_ = face._edges_[0].operand._data_
        return 0
    return compute(face)


cdef inline Py_ssize_t len(Nodes row) noexcept:
    """Python's own, for rows alone: a field is read, and nothing is called."""
    return row.count


cdef inline object add_table(object cls):
    """As in nodes.py."""
    end_with_release(cls)
    give_methods(cls, table_names(), <size_t>&(<Node*>NULL)._flags)


cdef object record(Operation op, tuple operands)

cdef object record_pair(Operation op, object a, object b)

cdef object _calculated(ValueBase node)

@cython.locals(node="Node*", entered="long long", done="long long", since="long long", doubt=int)
cdef int _sort(Nodes path, Nodes results, Nodes leaves, bint afresh, long long oldest) except -1

@cython.locals(results=Nodes, leaves=Nodes, path=Nodes)
cdef list _send_all_down(Value root, double upstream, bint look)

@cython.locals(upstream=double, i=Py_ssize_t, operand="Node*", local=double)
cdef int send_gradients_down(Node* node) except -1
