# Types for stale.py, where Cython compiles it.

cdef bint _written_since
cdef long long _first
cdef unsigned char _READ, _USED, _MIXED, _STALE, _WRITTEN, _LASTING, _SEEN

cpdef unsigned char after_backward(unsigned char state, double grad) except? 255
cpdef unsigned char written(unsigned char state) except? 255
cpdef unsigned char after_write(unsigned char state) except? 255
cpdef long long first_since_write(long long walk) except -1
