# Types for value_base.py, where Cython compiles it: what a node keeps are C fields.

from chainrule.core cimport stale
from chainrule.core.operation cimport number
from chainrule.storage.fields cimport (
    derivatives_by_locals, is_constant, is_hidden, label_of, locals_of, operands_of, operation_of, set_label,
    state_of,
)
from chainrule.storage.nodes cimport Edge, Methods, own_of

cdef unsigned char LASTING, LOOKED_AT, PASSED, SEEN
cdef list open_modes, open_traces


cdef class ValueBase(Methods):
    cdef double _data_
    cdef double _grad_
    cdef long long _mark_
    cdef unsigned int _count_
    cdef unsigned short _code_
    cdef unsigned char _state_
    cdef unsigned char _flags  # see memory.pxd
    cdef Edge _edges_[2]  # the last field: a node of more operands has memory for more of them


cdef ValueBase check_step(ValueBase leaf, object x, str sign)

cdef bint compares_numbers(ValueBase a, object b) except -1
