"""What plans.py does, on C arrays: the same classes, with the same arguments."""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.dict cimport PyDict_Next
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_FromDouble
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy, strcmp

from chainrule.engine cimport Value

import numpy as np

MISSED = object()
cdef object _missed = MISSED, _array = np.ndarray, _empty = np.empty

cdef enum:
    FEW = 256  # numbers that a call keeps on the stack
    MOST_ALIKE = 16

ctypedef int32_t (*Levels)(void*, void*, int64_t, void*, int64_t, int64_t, void*) noexcept nogil
ctypedef void (*Loops)(
    void*, void*, void*, void*, void*, void*, void*, int64_t, int64_t, int64_t, int64_t, int64_t
) noexcept nogil


# ---- forms -----------------------------------------------------------------------------------------------------------


cdef class Form:
    """As in plans.py; no Python code runs while an argument is read, so nobody changes it meanwhile."""

    cdef double* read(self, object x, double* into) except? NULL:
        """Writes the numbers of `x` from `into` on; returns where they end, or NULL if `x` is not of this form."""
        return NULL

    cdef object build(self, double** numbers):
        """Returns a new one of the numbers, which are then behind those that it took."""
        raise NotImplementedError


cdef class One(Form):
    """As in plans.py."""

    cdef double* read(self, object x, double* into) except? NULL:
        if type(x) is not float:
            return NULL
        into[0] = PyFloat_AS_DOUBLE(x)
        return into + 1

    cdef object build(self, double** numbers):
        numbers[0] += 1
        return PyFloat_FromDouble(numbers[0][-1])


cdef class Whole(Form):
    """As in plans.py."""

    cdef long long exact

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
    """As in plans.py."""

    cdef Py_ssize_t count
    cdef bint is_list

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


cdef class Parts(Form):
    """As in plans.py."""

    cdef object kind
    cdef tuple parts, names

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
        cdef list made = [(<Form>part).build(numbers) for part in self.parts]
        if self.kind is list:
            return made
        return tuple(made) if self.names is None else dict(zip(self.names, made))


cdef class Cells(Form):
    """As in plans.py."""

    cdef tuple shape
    cdef Py_ssize_t count

    def __init__(self, tuple shape):
        self.shape, self.count = shape, 1
        for length in shape:
            self.count *= length

    cdef double* read(self, object x, double* into) except? NULL:
        cdef Py_buffer buffer
        if type(x) is not _array:
            return NULL
        try:
            PyObject_GetBuffer(x, &buffer, PyBUF_FORMAT | PyBUF_STRIDES)
        except (BufferError, ValueError):
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
        if buffer.ndim > 1 or self.count == 0 or buffer.strides[0] == sizeof(double):
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


# ---- kernels ---------------------------------------------------------------------------------------------------------


cdef class _Places:
    """Whole numbers in a C array."""

    cdef Py_ssize_t* items
    cdef Py_ssize_t count

    def __cinit__(self, list places):
        cdef Py_ssize_t i
        self.count = len(places)
        self.items = <Py_ssize_t*>PyMem_Malloc((self.count + 1) * sizeof(Py_ssize_t))
        if self.items is NULL:
            raise MemoryError()
        for i in range(self.count):
            self.items[i] = places[i]

    def __dealloc__(self):
        PyMem_Free(self.items)


cdef class _Memory:
    """What memory for one call at a time is to native code: the arguments of the function, and its row of numbers."""

    cdef int64_t arguments[12]
    cdef Py_ssize_t count
    cdef double* row

    def __init__(self, tuple arguments, size_t row):
        cdef Py_ssize_t i
        self.count, self.row = len(arguments), <double*>row
        if self.count != 7 and self.count != 12:
            raise TypeError(f"no native function has {self.count} arguments")
        for i in range(self.count):
            self.arguments[i] = arguments[i]

    cdef int call(self, void* function) noexcept:
        """Calls the function, while other threads run; returns its status."""
        cdef int64_t* a = self.arguments
        cdef int status = 0
        with nogil:
            if self.count == 7:
                status = (<Levels>function)(
                    <void*>a[0], <void*>a[1], a[2], <void*>a[3], a[4], a[5], <void*>a[6]
                )
            else:
                (<Loops>function)(
                    <void*>a[0], <void*>a[1], <void*>a[2], <void*>a[3], <void*>a[4], <void*>a[5], <void*>a[6],
                    a[7], a[8], a[9], a[10], a[11],
                )
        return status


cdef class Route:
    """As in plans.py."""

    cdef void* function
    cdef object kernel, native
    cdef readonly tuple last
    cdef list live, free
    cdef Form form
    cdef _Places inputs, take, guards, outcomes
    cdef bint strict

    def __init__(self, object path, object kernel, list take, Form form, tuple last, bint strict):
        native = kernel.native()
        cdef size_t function = native.function
        self.function, self.kernel, self.native = <void*>function, kernel, native
        self.form, self.last, self.strict = form, last, strict
        self.live, self.free = list(path.live), native.free
        self.inputs, self.take = _Places(native.inputs), _Places([native.outputs[i] for i in take])
        self.guards = _Places([at for at, _ in native.guards])
        self.outcomes = _Places([outcome for _, outcome in native.guards])

    @staticmethod
    def possible(object kernel):
        """As in plans.py."""
        return kernel.native() is not None

    cdef Py_ssize_t room(self):
        """Returns how many numbers a call needs beside those of its arguments."""
        return len(self.live) + self.take.count

    cdef object run(self, double* numbers, Py_ssize_t own):
        """Returns the results; `MISSED` if they are not finite, None if the guards of the path do not hold.

        Args:
            numbers: those of the arguments, with `room()` for more.
            own: how many there are.
        """
        cdef Py_ssize_t i, end = own + PyList_GET_SIZE(self.live)
        cdef double* found = numbers + end
        cdef double* row
        cdef object area = self.free.pop() if self.free else self.native.memory()
        cdef _Memory memory = area.prepared
        if memory is None:
            memory = area.prepared = _Memory(*self.native.arguments(area))
        for i in range(end - own):
            numbers[own + i] = (<Value?>PyList_GET_ITEM(self.live, i))._data
        row = memory.row
        for i in range(self.inputs.count):
            row[i] = numbers[self.inputs.items[i]]
        if memory.call(self.function):
            return _missed
        cdef bint held = True, finite = True
        for i in range(self.guards.count):
            held = held and (row[self.guards.items[i]] != 0) == self.outcomes.items[i]
        for i in range(self.take.count):
            found[i] = row[self.take.items[i]]
            finite = finite and isfinite(found[i])
        self.free.append(area)
        if not held:
            return None
        return self.form.build(&found) if finite or self.strict else _missed


# ---- plans -----------------------------------------------------------------------------------------------------------


cdef class Use:
    """As in plans.py."""

    cdef public Py_ssize_t last

    def __init__(self, Py_ssize_t last):
        self.last = last


cdef class Plan:
    """As in plans.py."""

    cdef object what, argnums
    cdef readonly dict routes
    cdef list paths
    cdef Use use
    cdef tuple forms
    cdef Py_ssize_t count, room

    def __init__(self, tuple asked, object forms, Py_ssize_t count, list paths, Use use):
        self.what, self.argnums = asked
        self.forms, self.count, self.paths, self.use, self.routes = tuple(forms), count, paths, use, {}
        if not all(isinstance(form, Form) for form in self.forms):
            raise TypeError("an argument has no form")

    def add(self, object path, Route route):
        """As in plans.py."""
        if route is not None:
            self.room = max(self.room, route.room())
        self.routes[path] = route

    cdef object run(self, tuple args, Plans plans):
        """As in plans.py."""
        cdef double few[FEW]
        cdef double* numbers = few
        cdef Py_ssize_t room = self.count + self.room
        if PyTuple_GET_SIZE(args) != PyTuple_GET_SIZE(self.forms):
            return _missed
        if room > FEW:
            numbers = <double*>PyMem_Malloc(room * sizeof(double))
            if numbers is NULL:
                raise MemoryError()
        try:
            if not self.read(args, numbers):
                return _missed
            return self.tried(numbers, room - self.count, plans)
        finally:
            if numbers is not few:
                PyMem_Free(numbers)

    cdef bint read(self, tuple args, double* into) except -1:
        """Reads the arguments; returns whether all are of their forms."""
        cdef Py_ssize_t i
        for i in range(PyTuple_GET_SIZE(args)):
            into = (<Form>PyTuple_GET_ITEM(self.forms, i)).read(<object>PyTuple_GET_ITEM(args, i), into)
            if into is NULL:
                return False
        return True

    cdef object tried(self, double* numbers, Py_ssize_t room, Plans plans):
        """Tries the function's paths, in their order."""
        cdef Route route
        cdef object path, results
        cdef bint first = True
        cdef list paths = self.paths
        if PyList_GET_SIZE(paths) > 1:
            paths = list(paths)  # other threads may change their order
        for path in paths:
            route = self.routes.get(path)
            if route is None or route.room() > room:
                return _missed
            results = route.run(numbers, self.count)
            if results is not None:
                if results is not _missed:
                    plans.note(self, None if first else path, route.last)
                return results
            first = False
        return _missed


cdef class Plans:
    """As in plans.py."""

    cdef object runner, paths
    cdef dict kept
    cdef public Py_ssize_t calls

    def __init__(self, object runner, object paths):
        self.runner, self.paths, self.kept = runner, paths, {}

    def run(self, object what, object argnums, tuple args):
        """As in plans.py."""
        cdef list kept
        cdef Plan plan
        cdef object results
        if not self.kept:
            return _missed
        kept = self.kept.get(_sizes(what, args))
        if kept is None or self.paths.changes:
            return _missed
        for plan in kept:
            if _same(argnums, plan.argnums) and plan.what == what:
                results = plan.run(args, self)
                if results is not _missed:
                    return results
        return _missed

    cdef int note(self, Plan plan, object path, tuple last) except -1:
        """As in plans.py."""
        if path is not None:
            self.paths.put_first(plan.paths, path)
        self.calls += 1
        plan.use.last = self.calls
        self.runner.last = last
        return 0

    def add(self, Plan plan, tuple args):
        """As in plans.py."""
        cdef object key = _sizes(plan.what, args)
        cdef list kept = self.kept.get(key, [])
        cdef Plan other
        cdef Py_ssize_t alike = 0
        for other in kept:
            alike += _same(plan.argnums, other.argnums)
        if alike < MOST_ALIKE:
            self.kept[key] = [*kept, plan]  # a new list: others may be reading this one

    def forget(self, Use use):
        """As in plans.py."""
        cdef Plan plan
        cdef list left
        for key, kept in list(self.kept.items()):
            left = []
            for plan in kept:
                if plan.use is not use:
                    left.append(plan)
            if left:
                self.kept[key] = left
            else:
                del self.kept[key]


cdef bint _same(object argnums, object other) except -1:
    """Returns whether arguments to differentiate by are the same: True is not 1."""
    cdef Py_ssize_t i
    if type(argnums) is int:
        return type(other) is int and argnums == other
    if type(argnums) is not tuple or type(other) is not tuple or len(argnums) != len(other):
        return False
    for i in range(len(argnums)):
        if type((<tuple>argnums)[i]) is not int or (<tuple>argnums)[i] != (<tuple>other)[i]:
            return False
    return True


cdef object _sizes(object what, tuple args):
    """Returns a number for how arguments look from outside, and for what is asked."""
    cdef unsigned long long found = <Py_ssize_t>what
    cdef object x
    for x in args:
        found *= 1000003
        if type(x) is float:
            found ^= 1
        elif type(x) is list or type(x) is tuple or type(x) is dict:
            found ^= 2 + <unsigned long long>len(x)
        elif type(x) is _array and x.ndim:
            found ^= 2 + <unsigned long long>len(x)
    return found


def asked_of(object what, object argnums):
    """As in plans.py."""
    if type(argnums) is int or (type(argnums) is tuple and set(map(type, argnums)) <= {int}):
        return what, argnums
    return None
