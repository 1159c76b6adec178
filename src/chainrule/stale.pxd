# Types for stale.py, where Cython compiles it.

cpdef unsigned char after_backward(unsigned char state, double grad) except? 255
cpdef unsigned char after_write(unsigned char state) except? 255
