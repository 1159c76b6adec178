# Types for operation.py, where Cython compiles it: what a call of an operation looks at.

cdef class Operation:
    cdef dict __dict__
    cdef readonly unsigned short code
    cdef readonly object value
    cdef readonly object name
    cdef readonly object _pack  # how a call's lists become operands; None if it takes none
    cdef Py_ssize_t _least, _most  # how many arguments a call has; -1: any number
    cdef tuple _last  # what those are that may be left out

    cpdef object on(self, object operands)
    cdef object _dispatch(self, object operands)


cpdef double number(object x, object where) except? -1.0
