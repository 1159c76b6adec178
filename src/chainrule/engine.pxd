# Types for engine.py, where Cython compiles it: the same text, with C fields and C calls for what is done most.

cimport cython

from chainrule.core cimport stale
from chainrule.storage.memory cimport (
    blank, doubtful, end_with_release, is_constant, keep, label_of, locals_of, operands_of, operation_of, prepare, remade, renew,
    set_label, state_of,
)
from chainrule.storage.native cimport compute, table_names
from chainrule.core.operation cimport Operation, number
from chainrule.storage.nodes cimport Edge, Methods, Node, Nodes, give_methods, node_of, value_of

cdef long long _walks
cdef unsigned char AGAIN, LASTING, READ, STALE
cdef list open_modes
cdef Operation ADD, SUB, MUL, DIV, POW, NEG, ABS, LT, LE, GT, GE, EQ, NE


cdef class Value(Methods):
    cdef double _data
    cdef double _grad
    cdef long long _walk  # the last one that came by
    cdef unsigned int _count
    cdef unsigned short _code
    cdef unsigned char _state
    cdef unsigned char _flags  # see memory.pxd
    cdef Edge _edges[2]  # the last field: a node of more operands has memory for more of them


cdef inline int evaluate(Value node) except -1:
    return compute(node_of(node))


cdef inline object complete(object cls):
    """As in nodes.py."""
    end_with_release(cls)
    give_methods(cls, table_names())


@cython.locals(out=Value, i=Py_ssize_t)
cdef Value record_row(Operation op, tuple operands)

@cython.locals(out=Value)
cdef Value _pair(Operation op, object a, object b)

cdef bint _meets(Value a, object b) except -1

cdef Value _result(Value out)

@cython.locals(path=Nodes, node="Node*", entered="long long", done="long long", since="long long", i=Py_ssize_t, states="unsigned char")
cdef int _sort(Value root, Nodes results, Nodes leaves, bint afresh) except -1

@cython.locals(results=Nodes, leaves=Nodes, made="Node**", given="Node**", leaf="Node*", i=Py_ssize_t)
cdef list _chain_rule(Value root, double upstream, bint doubting)

@cython.locals(upstream=double, i=Py_ssize_t)
cdef int _deposit(Node* node) except -1
