# Types for leaves.py, where Cython compiles it.

cimport cython

from chainrule.core cimport stale
from chainrule.engine cimport Value

@cython.locals(i=Py_ssize_t, leaf=Value)

cpdef object read_data(list leaves, double[::1] numbers)

@cython.locals(i=Py_ssize_t, leaf=Value, other=Py_ssize_t)
cpdef object write_data(list leaves, double[::1] numbers, double[::1] before)
