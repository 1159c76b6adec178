"""What plans.py does, on C arrays: the same classes, with the same arguments."""

from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from chainrule.compiler.calling.forms cimport Form
from chainrule.engine cimport Value

import numpy as np

MISSED = object()
_missed = MISSED
cdef object _array = np.ndarray

cdef enum:
    FEW = 256  # numbers that a call keeps on the stack
    MOST_ALIKE = 16

ctypedef int32_t (*Levels)(void*, void*, int64_t, void*, int64_t, int64_t, void*) noexcept nogil
ctypedef void (*Loops)(
    void*, void*, void*, void*, void*, void*, void*, int64_t, int64_t, int64_t, int64_t, int64_t
) noexcept nogil


# ---- kernels ---------------------------------------------------------------------------------------------------------


cdef class Places:
    """Places, from 0 on, in a C array; and, if most follow one another, runs of such: each its first and its length."""

    def __cinit__(self, list places):
        cdef Py_ssize_t i
        self.count, self.most, self.runs_count = len(places), max(places, default=-1), 0
        self.items = <Py_ssize_t*>PyMem_Malloc((self.count + 1) * sizeof(Py_ssize_t))
        self.runs = <Py_ssize_t*>PyMem_Malloc((self.count + 1) * 2 * sizeof(Py_ssize_t))
        if self.items is NULL or self.runs is NULL:
            raise MemoryError()
        if min(places, default=0) < 0:
            raise IndexError("a place before the first")
        for i in range(self.count):
            self.items[i] = places[i]
            if i == 0 or self.items[i] != self.items[i - 1] + 1:
                self.runs[2 * self.runs_count] = self.items[i]
                self.runs[2 * self.runs_count + 1] = 0
                self.runs_count += 1
            self.runs[2 * self.runs_count - 1] += 1

    def __dealloc__(self):
        PyMem_Free(self.items)
        PyMem_Free(self.runs)

    cdef void gather(self, double* source, double* into) noexcept nogil:
        """Copies the numbers at these places, in their order."""
        cdef Py_ssize_t i, size
        if 4 * self.runs_count > self.count:
            for i in range(self.count):
                into[i] = source[self.items[i]]
            return
        for i in range(self.runs_count):
            size = self.runs[2 * i + 1]
            memcpy(into, source + self.runs[2 * i], size * sizeof(double))
            into += size


cdef bint all_finite(double* numbers, Py_ssize_t count) noexcept nogil:
    """Returns whether numbers are finite."""
    cdef Py_ssize_t i
    cdef uint64_t exponent = 0x7FF0000000000000, one = 0x0010000000000000, all_ones = 0, bits
    for i in range(count):
        memcpy(&bits, numbers + i, sizeof(double))
        all_ones |= (bits & exponent) + one  # the highest bit, if the exponent is that of infinity or nan
    return not all_ones >> 63


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
    cdef Places inputs, take, guards, outcomes
    cdef bint strict

    def __init__(self, object path, object kernel, list take, Form form, tuple last, bint strict):
        native = kernel.native()
        cdef size_t function = native.function
        self.function, self.kernel, self.native = <void*>function, kernel, native
        self.form, self.last, self.strict = form, last, strict
        self.live, self.free = list(path.live), native.free
        self.inputs, self.take = Places(native.inputs), Places([native.outputs[i] for i in take])
        self.guards = Places([at for at, _ in native.guards])
        self.outcomes = Places([outcome for _, outcome in native.guards])

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
            numbers[own + i] = (<Value?>PyList_GET_ITEM(self.live, i))._data_
        row = memory.row
        self.inputs.gather(numbers, row)
        if memory.call(self.function):
            return _missed
        cdef bint held = True
        for i in range(self.guards.count):
            held = held and (row[self.guards.items[i]] != 0) == self.outcomes.items[i]
        self.take.gather(row, found)
        self.free.append(area)
        if not held:
            return None
        if not self.strict and not all_finite(found, self.take.count):
            return _missed
        return self.form.build(&found)


# ---- plans -----------------------------------------------------------------------------------------------------------


cdef class Use:
    """As in plans.py."""

    def __init__(self, Py_ssize_t last):
        self.last = last


cdef class Plan:
    """As in plans.py."""

    def __init__(self, tuple asked, object forms, Py_ssize_t count, list paths, Use use):
        self.what, self.argnums = asked
        self.forms, self.count, self.paths, self.use, self.routes = tuple(forms), count, paths, use, {}
        if not all(isinstance(form, Form) for form in self.forms):
            raise TypeError("an argument has no form")

    def add(self, object path, Route route):
        """As in plans.py."""
        if route is not None:
            if route.inputs.most >= self.count + len(route.live):
                raise IndexError("the kernel is for more numbers")
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

    def __init__(self, object runner, object paths, bint batches):
        self.runner, self.paths, self.batches, self.kept = runner, paths, batches, {}

    def run(self, object what, object argnums, tuple args):
        """As in plans.py."""
        cdef list kept
        cdef Plan plan
        cdef object results
        if not self.kept:
            return _missed
        kept = self.kept.get(_sizes(what, args, self.batches))
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
        cdef object key = _sizes(plan.what, args, self.batches)
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


cdef object _sizes(object what, tuple args, bint batches):
    """Returns a number for how arguments look from outside, and for what is asked."""
    cdef unsigned long long found = <Py_ssize_t>what
    cdef object x
    for x in args:
        found *= 1000003
        if type(x) is float:
            found ^= 1
        elif type(x) is list or type(x) is tuple or type(x) is dict:
            found ^= 2 + <unsigned long long>len(x)
        elif type(x) is _array and not batches and x.ndim:
            found ^= 2 + <unsigned long long>len(x)
    return found


def asked_of(object what, object argnums):
    """As in plans.py."""
    if type(argnums) is int or (type(argnums) is tuple and set(map(type, argnums)) <= {int}):
        return what, argnums
    return None
