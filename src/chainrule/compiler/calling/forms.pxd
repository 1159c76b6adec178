# Types for forms.pyx.

cdef class Form:
    cdef double* read(self, object x, double* into) except? NULL
    cdef object build(self, double** numbers)
    cdef object lay(self, object rows, Py_ssize_t** at)


cdef class One(Form):
    pass


cdef class Whole(Form):
    cdef long long exact


cdef class Floats(Form):
    cdef Py_ssize_t count
    cdef bint is_list


cdef class Parts(Form):
    cdef object kind
    cdef tuple parts, names
    cdef double* read_named(self, dict x, double* into) except? NULL
    cdef object made(self, list parts)


cdef class Cells(Form):
    cdef tuple shape, axes
    cdef Py_ssize_t count
    cdef bint last
    cdef bint copied(self, Py_buffer* buffer, double* into) except -1


cdef class Columns(Form):
    cdef tuple shape
    cdef Py_ssize_t count
    cdef bint last
    cdef Py_ssize_t open(self, object x, Py_buffer* buffer) except -2
    cdef Py_ssize_t samples(self, Py_buffer* buffer) except -2
