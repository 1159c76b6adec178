"""What forms.py does, on C arrays: the same classes, with the same arguments."""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.dict cimport PyDict_Next
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_FromDouble
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.string cimport memcpy, strcmp

import numpy as np

cdef object _array = np.ndarray, _empty = np.empty


cdef class Form:
    """As in forms.py; no Python code runs while an argument is read, so nobody changes it meanwhile."""

    cdef double* read(self, object x, double* into) except? NULL:
        """Writes the numbers of `x` from `into` on; returns where they end, or NULL if `x` is not of this form."""
        return NULL

    cdef object build(self, double** numbers):
        """Returns a new one of the numbers, which are then behind those that it took."""
        raise NotImplementedError

    cdef object lay(self, object rows, Py_ssize_t** at):
        """Returns a new one with rows, an array, in place of numbers: a row for each sample. Samples come first, or
        last if the form says so.

        Args:
            rows: float64[rows, samples].
            at: which rows, in order; then behind those that it took.
        """
        raise NotImplementedError


cdef class One(Form):
    """As in forms.py."""

    cdef double* read(self, object x, double* into) except? NULL:
        if type(x) is not float:
            return NULL
        into[0] = PyFloat_AS_DOUBLE(x)
        return into + 1

    cdef object build(self, double** numbers):
        numbers[0] += 1
        return PyFloat_FromDouble(numbers[0][-1])

    cdef object lay(self, object rows, Py_ssize_t** at):
        at[0] += 1
        return rows[at[0][-1]]


cdef class Whole(Form):
    """As in forms.py."""

    def __init__(self, long long exact):
        self.exact = exact

    cdef double* read(self, object x, double* into) except? NULL:
        cdef int overflow = 0
        if type(x) is not int:
            return NULL
        cdef long long whole = PyLong_AsLongLongAndOverflow(x, &overflow)
        if overflow or not -self.exact <= whole <= self.exact:
            return NULL
        into[0] = <double>whole
        return into + 1


cdef class Floats(Form):
    """As in forms.py."""

    def __init__(self, object kind, Py_ssize_t count):
        if kind is not list and kind is not tuple:
            raise TypeError(f"{kind} is neither list nor tuple")
        self.is_list, self.count = kind is list, count

    cdef double* read(self, object x, double* into) except? NULL:
        cdef Py_ssize_t i
        cdef PyObject* part
        if type(x) is not (list if self.is_list else tuple):
            return NULL
        if (PyList_GET_SIZE(x) if self.is_list else PyTuple_GET_SIZE(x)) != self.count:
            return NULL
        for i in range(self.count):
            part = PyList_GET_ITEM(x, i) if self.is_list else PyTuple_GET_ITEM(x, i)
            if type(<object>part) is not float:
                return NULL
            into[i] = PyFloat_AS_DOUBLE(<object>part)
        return into + self.count

    cdef object build(self, double** numbers):
        cdef Py_ssize_t i
        cdef object made = PyList_New(self.count) if self.is_list else PyTuple_New(self.count)
        cdef object one
        for i in range(self.count):
            one = PyFloat_FromDouble(numbers[0][i])
            Py_INCREF(one)  # the row takes it
            if self.is_list:
                PyList_SET_ITEM(made, i, one)
            else:
                PyTuple_SET_ITEM(made, i, one)
        numbers[0] += self.count
        return made

    cdef object lay(self, object rows, Py_ssize_t** at):
        cdef Py_ssize_t i
        cdef list made = [rows[at[0][i]] for i in range(self.count)]
        at[0] += self.count
        return made if self.is_list else tuple(made)


cdef class Parts(Form):
    """As in forms.py."""

    def __init__(self, object kind, object parts, object names=None):
        self.kind, self.parts, self.names = kind, tuple(parts), names
        if not all(isinstance(part, Form) for part in self.parts):
            raise TypeError("parts are forms")
        if (names is None and kind not in (list, tuple)) or (names is not None and len(names) != len(self.parts)):
            raise TypeError(f"no {kind} of these parts")

    cdef double* read(self, object x, double* into) except? NULL:
        cdef Py_ssize_t i
        cdef PyObject* part
        if type(x) is not self.kind or len(x) != PyTuple_GET_SIZE(self.parts):
            return NULL
        if self.names is not None:
            return self.read_named(x, into)
        for i in range(PyTuple_GET_SIZE(self.parts)):
            part = PyList_GET_ITEM(x, i) if self.kind is list else PyTuple_GET_ITEM(x, i)
            into = (<Form>PyTuple_GET_ITEM(self.parts, i)).read(<object>part, into)
            if into is NULL:
                return NULL
        return into

    cdef double* read_named(self, dict x, double* into) except? NULL:
        cdef Py_ssize_t at = 0, i = 0
        cdef PyObject* name
        cdef PyObject* part
        while PyDict_Next(x, &at, &name, &part):
            if type(<object>name) is not str or <str><object>name != <str>PyTuple_GET_ITEM(self.names, i):
                return NULL
            into = (<Form>PyTuple_GET_ITEM(self.parts, i)).read(<object>part, into)
            if into is NULL:
                return NULL
            i += 1
        return into

    cdef object build(self, double** numbers):
        return self.made([(<Form>part).build(numbers) for part in self.parts])

    cdef object lay(self, object rows, Py_ssize_t** at):
        return self.made([(<Form>part).lay(rows, at) for part in self.parts])

    cdef object made(self, list parts):
        if self.kind is list:
            return parts
        return tuple(parts) if self.names is None else dict(zip(self.names, parts))


cdef class Cells(Form):
    """As in forms.py."""

    def __init__(self, tuple shape, bint last=False):
        self.shape, self.count, self.last, self.axes = shape, 1, last, (len(shape), *range(len(shape)))
        for length in shape:
            self.count *= length

    cdef double* read(self, object x, double* into) except? NULL:
        cdef Py_buffer buffer
        if type(x) is not _array:
            return NULL
        try:
            PyObject_GetBuffer(x, &buffer, PyBUF_FORMAT | PyBUF_STRIDES)
        except (BufferError, ValueError):  # of dates, for example
            return NULL
        cdef bint alike = self.copied(&buffer, into)
        PyBuffer_Release(&buffer)
        return into + self.count if alike else NULL

    cdef bint copied(self, Py_buffer* buffer, double* into) except -1:
        """Copies a buffer's numbers; returns False if it is of another shape or type, or has gaps within rows."""
        cdef Py_ssize_t i, step = sizeof(double)
        if buffer.ndim != PyTuple_GET_SIZE(self.shape) or strcmp(buffer.format, b"d"):
            return False
        for i in range(buffer.ndim - 1, -1, -1):
            if buffer.shape[i] != <Py_ssize_t>self.shape[i]:
                return False
            if buffer.ndim > 1 and buffer.strides[i] != step:
                return False
            step *= buffer.shape[i]
        if buffer.ndim != 1 or self.count == 0 or buffer.strides[0] == sizeof(double):  # without axes: no strides
            memcpy(into, buffer.buf, self.count * sizeof(double))
        else:
            for i in range(self.count):
                memcpy(into + i, <char*>buffer.buf + i * buffer.strides[0], sizeof(double))  # it may lie anywhere
        return True

    cdef object build(self, double** numbers):
        cdef Py_buffer buffer
        cdef object made = _empty(self.shape)
        PyObject_GetBuffer(made, &buffer, PyBUF_WRITABLE)
        if buffer.len == self.count * <Py_ssize_t>sizeof(double):
            memcpy(buffer.buf, numbers[0], buffer.len)
        PyBuffer_Release(&buffer)
        numbers[0] += self.count
        return made

    cdef object lay(self, object rows, Py_ssize_t** at):
        cdef Py_ssize_t i, first = at[0][0] if self.count else 0
        cdef bint follow = True
        for i in range(self.count):
            follow = follow and at[0][i] == first + i
        cdef object own = rows[first : first + self.count] if follow else rows[[at[0][i] for i in range(self.count)]]
        at[0] += self.count
        own = own.reshape((*self.shape, own.shape[1]))
        return own if self.last else own.transpose(self.axes)


cdef class Columns(Form):
    """An array without gaps, its samples along the first axis or, if `last`, the last: `shape` is that of one sample."""

    def __init__(self, tuple shape, bint last=False):
        self.shape, self.count, self.last = shape, 1, last
        for length in shape:
            self.count *= length
        if not self.count:
            raise ValueError("a sample has no numbers")

    cdef Py_ssize_t open(self, object x, Py_buffer* buffer) except -2:
        """Opens an array's memory; returns how many samples it has, or -1, with nothing open, if it is not of this
        form."""
        cdef Py_ssize_t samples
        if type(x) is not _array:
            return -1
        try:
            PyObject_GetBuffer(x, buffer, PyBUF_FORMAT | PyBUF_STRIDES)
        except (BufferError, ValueError):
            return -1
        samples = self.samples(buffer)
        if samples < 0:
            PyBuffer_Release(buffer)
        return samples

    cdef Py_ssize_t samples(self, Py_buffer* buffer) except -2:
        """Returns how many samples a buffer has; -1 if it is of another shape or type, has gaps, or no samples."""
        cdef Py_ssize_t i, at, step = sizeof(double), axis = buffer.ndim - 1 if self.last else 0
        if buffer.ndim != PyTuple_GET_SIZE(self.shape) + 1 or strcmp(buffer.format, b"d"):
            return -1
        if <size_t>buffer.buf % sizeof(double) or buffer.shape[axis] < 1:
            return -1
        for i in range(buffer.ndim - 1, -1, -1):
            at = i if self.last else i - 1  # among the axes of a sample
            if buffer.strides[i] != step or (i != axis and buffer.shape[i] != <Py_ssize_t>self.shape[at]):
                return -1
            step *= buffer.shape[i]
        return buffer.shape[axis]
