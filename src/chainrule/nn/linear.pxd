# Types for linear.py, where Cython compiles it.

cimport cython

from chainrule.engine cimport Value, record
from chainrule.core.operation cimport Operation

cdef Operation weighted_sum

@cython.locals(i=Py_ssize_t, count=Py_ssize_t, operands=object, sums=list)
cpdef list linear(object inputs, object rows, object biases=*)
