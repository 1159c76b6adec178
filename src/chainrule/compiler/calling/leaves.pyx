"""What leaves.py does, on C arrays."""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.string cimport strcmp

from chainrule.core cimport stale
from chainrule.engine cimport Value


cdef class Doubles:
    """The memory of an array of floats, which stays where it is as long as this lives."""

    cdef Py_buffer buffer
    cdef double* items

    def __cinit__(self, object array, Py_ssize_t count, bint writable):
        PyObject_GetBuffer(array, &self.buffer, PyBUF_FORMAT | PyBUF_ND | (PyBUF_WRITABLE if writable else PyBUF_SIMPLE))
        if self.buffer.ndim != 1 or strcmp(self.buffer.format, b"d") or self.buffer.shape[0] < count:
            raise ValueError(f"not an array of at least {count} floats")
        self.items = <double*>self.buffer.buf

    def __dealloc__(self):
        PyBuffer_Release(&self.buffer)


def read_data(list leaves, object numbers):
    """As in leaves.py."""
    cdef Doubles copied = Doubles(numbers, len(leaves), True)
    cdef Py_ssize_t i
    cdef Value leaf
    for i in range(len(leaves)):
        leaf = leaves[i]
        copied.items[i] = leaf._data_


def write_data(list leaves, object numbers, object before):
    """As in leaves.py."""
    cdef Doubles new = Doubles(numbers, len(leaves), False), old = Doubles(before, len(leaves), False)
    cdef Py_ssize_t i, other = -1
    cdef Value leaf
    for i in range(len(leaves)):
        leaf = leaves[i]
        if leaf._data_ != old.items[i] and old.items[i] == old.items[i]:
            other = i
    for i in range(len(leaves)):
        leaf = leaves[i]
        leaf._data_ = new.items[i]
        leaf._state_ = stale.written(leaf._state_)
    return other
