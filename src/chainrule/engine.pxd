# Types for engine.py, where Cython compiles it: the same text, with C fields and C calls for what is done most.

cimport cython

from chainrule.memory cimport (
    blank, end_with_release, is_constant, keep, locals_of, operands_of, operation_of, prepare, restore, state_of,
)
from chainrule.native cimport compute, table_names
from chainrule.operation cimport Operation
from chainrule.storage cimport Methods, Node, Nodes, give_methods, node_of, value_of

cdef unsigned short CONSTANT, READ, USED
cdef list open_modes
cdef Operation ADD, SUB, MUL, DIV, POW, NEG, ABS, LT, LE, GT, GE, EQ, NE


cdef class Value(Methods):
    cdef double _data
    cdef double _grad
    cdef double _earlier  # of a leaf: the gradient before the present backward()
    cdef Node** _operands
    cdef double* _locals
    cdef Node* _two_operands[2]  # where they are kept if there are no more
    cdef double _two_locals[2]
    cdef public str label
    cdef long long _walk  # the last one that came by
    cdef unsigned int _count
    cdef unsigned short _code
    cdef unsigned short _state


cdef inline int evaluate(Value node) except -1:
    return compute(node_of(node))


cdef inline object complete(object cls):
    """As in storage.py."""
    end_with_release(cls)
    give_methods(cls, table_names())


@cython.locals(out=Value, i=Py_ssize_t)
cdef Value record_row(Operation op, tuple operands)

@cython.locals(out=Value)
cdef Value _pair(Operation op, object a, object b)

cdef Value _result(Value out)

@cython.locals(path=Nodes, node="Node*", entered="long long", done="long long", i=Py_ssize_t)
cdef int _sort(Value root, Nodes results, Nodes leaves, bint afresh) except -1

@cython.locals(upstream=double, i=Py_ssize_t)
cdef int _deposit(Node* node) except -1
