# Types for stale.py, where Cython compiles it.

cdef size_t _last
cdef unsigned char _READ, _USED, _MIXED, _STALE, _WRITTEN, _LASTING

cpdef unsigned char after_backward(unsigned char state, double grad) except? 255
cpdef unsigned char written(unsigned char state) except? 255
cpdef unsigned char after_write(unsigned char state) except? 255
cpdef bint passes_again(size_t root, unsigned char states) except -1
