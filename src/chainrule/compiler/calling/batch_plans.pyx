"""Plans for batches: arrays whose first or last axis is that of the samples, beside plain arguments that samples share.

A few thousand numbers at a time are copied to rows, go through the kernel, and are looked at, all while they are in the
CPU's first cache; what lies in rows already is not copied, if it is all that there is. The results of the samples are
written where they are returned.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from chainrule.compiler.calling.forms cimport Columns as _Columns
from chainrule.compiler.calling.forms cimport Form
from chainrule.compiler.calling.plans cimport Places, Plan, Plans, _missed, all_finite
from chainrule.engine cimport Value

import numpy as np

from chainrule.compiler.calling.forms import Columns

cdef object _empty = np.empty

ctypedef void (*Loops)(
    void*, void*, void*, void*, void*, void*, void*, int64_t, int64_t, int64_t, int64_t, int64_t
) noexcept nogil

cdef enum:
    AT_ONCE = 8192  # numbers, about: of all rows of inputs and results together
    APART = 8  # numbers between rows, so that they do not all lie at the same places of the cache
    BATCHED = 3  # from here on, places among the arguments of the functions
    EACH = 6
    BATCHED_STRIDE = 7
    EACH_STRIDE = 9
    START = 10
    END = 11


cdef void _call(void* function, int64_t* a) noexcept nogil:
    (<Loops>function)(
        <void*>a[0], <void*>a[1], <void*>a[2], <void*>a[3], <void*>a[4], <void*>a[5], <void*>a[6],
        a[7], a[8], a[9], a[10], a[11],
    )


cdef class _Area:
    """What memory for one call at a time is to native code; with rows for some samples."""

    cdef int64_t arguments[12]
    cdef double* row
    cdef double* sums
    cdef double* columns
    cdef Py_ssize_t sums_count

    def __cinit__(self, tuple arguments, size_t row, size_t sums, Py_ssize_t sums_count, Py_ssize_t room):
        cdef Py_ssize_t i
        if len(arguments) != 12:
            raise TypeError("the functions have 12 arguments")
        for i in range(12):
            self.arguments[i] = arguments[i]
        self.row, self.sums, self.sums_count = <double*>row, <double*>sums, sums_count
        self.columns = <double*>PyMem_Malloc(room * sizeof(double))
        if self.columns is NULL:
            raise MemoryError()
        memset(self.columns, 0, room * sizeof(double))

    def __dealloc__(self):
        PyMem_Free(self.columns)

    cdef void point_at_own(self, Py_ssize_t stride) noexcept nogil:
        """Lets the functions read the samples from the rows that are here."""
        self.arguments[BATCHED], self.arguments[BATCHED_STRIDE] = <int64_t>self.columns, stride


cdef struct Block:
    Py_buffer buffer
    Py_ssize_t width  # how many numbers a sample has
    bint in_rows  # whether these are rows of the samples' numbers; else a sample's numbers lie together


cdef struct Batch:
    Block* blocks  # the batched arguments
    Py_ssize_t count  # of these
    Py_ssize_t samples


cdef class BatchRoute:
    """As `Route` in plans.py.

    Args:
        path, kernel, take, form, last, strict: as there.
        reduce: None, "sum" or "mean".
    """

    cdef void* before
    cdef void* blocks
    cdef void* after
    cdef object kernel, native, index
    cdef readonly tuple last
    cdef list live, free
    cdef Form form
    cdef Places inputs, shown, looked_at, guards
    cdef Py_ssize_t rows, each, lanes, chunk, taken
    cdef bint strict, per_sample, is_mean

    def __init__(self, object path, object kernel, list take, Form form, tuple last, bint strict, object reduce):
        native = kernel.native_batch()
        cdef size_t before, blocks, after
        before, blocks, after = native.functions
        self.before, self.blocks, self.after = <void*>before, <void*>blocks, <void*>after
        self.kernel, self.native, self.form, self.last, self.strict = kernel, native, form, last, strict
        self.live, self.free, self.inputs = list(path.live), native.free, Places(native.inputs)
        self.per_sample, self.is_mean = reduce is None, reduce == "mean"
        places = [native.outputs[i][1] for i in take]
        if any([varies != self.per_sample for varies, _ in native.outputs]):
            raise TypeError("some results differ from sample to sample, and some do not")
        self.looked_at, self.index = Places(sorted(set(places))), None
        if self.per_sample and len(set(places)) < len(places):  # each result gets rows of its own
            self.index, places = np.array(places, np.intp), list(range(len(places)))
        self.shown = Places(places)
        self.guards = Places([int(x) for guard in native.guards for x in guard])
        self.rows, self.each, self.lanes, self.taken = native.rows, native.each, native.lanes, len(places)
        self.chunk = max(AT_ONCE // (self.rows + max(self.each, 1)) // native.block, 1) * native.block

    @staticmethod
    def possible(object kernel, object reduce, Py_ssize_t batched):
        """Returns whether a kernel, of a graph with so many batched inputs, can calculate for a plan."""
        native = kernel.native_batch()
        if native is None or native.rows != batched:
            return False
        return all([varies == (reduce is None) for varies, _ in native.outputs])

    cdef Py_ssize_t room(self):
        """Returns how many numbers a call needs beside those of its arguments."""
        return PyList_GET_SIZE(self.live) + 1 + self.taken

    cdef object run(self, double* numbers, Py_ssize_t own, Batch* batch):
        """Returns the results; `MISSED` if the path's guards do not hold for all samples, or not all is finite.

        Args:
            numbers: those of the arguments, with `room()` for more.
            own: how many there are.
            batch: the samples.
        """
        cdef Py_ssize_t i, padded = (batch.samples + self.lanes - 1) // self.lanes * self.lanes
        cdef object area = self.free.pop() if self.free else self.native.memory()
        cdef _Area memory = area.prepared
        cdef object each = None
        cdef Py_buffer written
        cdef double* results = NULL
        if memory is None:
            memory = area.prepared = _Area(*self.native.arguments(area), self.rows * (self.chunk + APART))
        for i in range(PyList_GET_SIZE(self.live)):
            numbers[own + i] = (<Value?>PyList_GET_ITEM(self.live, i))._data_
        numbers[own + PyList_GET_SIZE(self.live)] = batch.samples
        self.inputs.gather(numbers, memory.row)
        if self.each:
            each = _empty((self.each, padded))
            PyObject_GetBuffer(each, &written, PyBUF_WRITABLE)
            results = <double*>written.buf
        cdef bint good
        with nogil:
            good = self.calculated(memory, batch, results, padded)
        if self.each:
            PyBuffer_Release(&written)
        cdef object found = self.made(memory, batch.samples, each, numbers) if good else _missed
        self.free.append(area)
        return found

    cdef bint calculated(self, _Area memory, Batch* batch, double* each, Py_ssize_t padded) noexcept nogil:
        """Runs the kernel; returns whether the guards hold and all results of samples are finite."""
        cdef int64_t* a = memory.arguments
        cdef Py_ssize_t start = 0, size
        cdef bint good = True
        memory.point_at_own(self.chunk + APART)
        a[EACH], a[EACH_STRIDE] = <int64_t>(memory.columns if each is NULL else each), padded
        a[START], a[END] = 0, batch.samples
        memset(memory.sums, 0, memory.sums_count * sizeof(double))
        _call(self.before, a)
        while start < batch.samples and good:
            size = min(self.chunk, batch.samples - start)
            self.give(memory, batch, start, size)
            a[EACH] = <int64_t>(memory.columns if each is NULL else each + start)
            a[END] = size
            _call(self.blocks, a)
            good = each is NULL or self.is_good(each + start, padded, size)
            start += size
        memory.point_at_own(self.chunk + APART)  # the caller's array may be gone by the next call
        a[EACH], a[END] = <int64_t>(memory.columns if each is NULL else each), batch.samples
        if good:
            _call(self.after, a)
        return good

    cdef void give(self, _Area memory, Batch* batch, Py_ssize_t start, Py_ssize_t size) noexcept nogil:
        """Gives some samples to the kernel: as they lie, if they are rows already and a whole number of vectors, beyond
        which it does not read; else a copy."""
        if batch.count == 1 and batch.blocks[0].in_rows and size % self.lanes == 0:
            memory.arguments[BATCHED] = <int64_t>(<double*>batch.blocks[0].buffer.buf + start)
            memory.arguments[BATCHED_STRIDE] = batch.samples
        else:
            memory.point_at_own(self.chunk + APART)
            self.copy_in(memory.columns, batch, start, size)

    cdef void copy_in(self, double* columns, Batch* batch, Py_ssize_t start, Py_ssize_t size) noexcept nogil:
        """Copies some samples to rows."""
        cdef Py_ssize_t i, j, k, width, stride = self.chunk + APART
        cdef double* source
        cdef double* to
        for i in range(batch.count):
            width = batch.blocks[i].width
            if batch.blocks[i].in_rows:
                source = <double*>batch.blocks[i].buffer.buf + start
                for k in range(width):
                    memcpy(columns + k * stride, source + k * batch.samples, size * sizeof(double))
            else:
                source = <double*>batch.blocks[i].buffer.buf + start * width
                for j in range(0, size - 3, 4):  # four samples at a time: a fourth of the stores' addresses
                    for k in range(width):
                        to = columns + k * stride + j
                        to[0], to[1] = source[j * width + k], source[(j + 1) * width + k]
                        to[2], to[3] = source[(j + 2) * width + k], source[(j + 3) * width + k]
                for j in range(size // 4 * 4, size):
                    for k in range(width):
                        columns[k * stride + j] = source[j * width + k]
            columns += width * stride

    cdef bint is_good(self, double* each, Py_ssize_t padded, Py_ssize_t size) noexcept nogil:
        """Returns whether for some samples all guards hold and all results are finite."""
        cdef Py_ssize_t i, j
        cdef double* row
        cdef bint outcome, held = True
        for i in range(0, self.guards.count, 3):
            if self.guards.items[i]:
                row, outcome = each + self.guards.items[i + 1] * padded, self.guards.items[i + 2]
                for j in range(size):
                    held &= (row[j] != 0) == outcome
        if self.per_sample and not self.strict:
            for i in range(self.looked_at.count):
                held = held and all_finite(each + self.looked_at.items[i] * padded, size)
        return held

    cdef object made(self, _Area memory, Py_ssize_t samples, object each, double* numbers):
        """Makes the results."""
        cdef Py_ssize_t i
        cdef Py_ssize_t* at = self.shown.items
        cdef bint good = True
        for i in range(0, self.guards.count, 3):
            if not self.guards.items[i]:
                good = good and (memory.row[self.guards.items[i + 1]] != 0) == self.guards.items[i + 2]
        if not good:
            return _missed
        if self.per_sample:
            each = each if each.shape[1] == samples else each[:, :samples]
            return self.form.lay(each if self.index is None else each[self.index], &at)
        self.shown.gather(memory.row, numbers)
        if not self.strict and not all_finite(numbers, self.taken):
            return _missed
        if self.is_mean:
            for i in range(self.taken):
                numbers[i] /= samples
        return self.form.build(&numbers)


cdef class BatchPlan(Plan):
    """As `Plan` in plans.py, for arguments of which some are batched."""

    cdef object run(self, tuple args, Plans plans):
        cdef Py_ssize_t i, opened = 0, count = PyTuple_GET_SIZE(self.forms)
        cdef Batch batch
        if PyTuple_GET_SIZE(args) != count or PyList_GET_SIZE(self.paths) == 0:
            return _missed
        cdef Py_ssize_t room = self.room
        cdef double* numbers = <double*>PyMem_Malloc((self.count + room + 1) * sizeof(double))
        batch.blocks = <Block*>PyMem_Malloc((count + 1) * sizeof(Block))
        batch.count, batch.samples = 0, -1
        try:
            if numbers is NULL or batch.blocks is NULL:
                raise MemoryError()
            return self.calculated(numbers, room, &batch, plans) if self.opened(args, numbers, &batch) else _missed
        finally:
            for i in range(batch.count):
                PyBuffer_Release(&batch.blocks[i].buffer)
            PyMem_Free(numbers)
            PyMem_Free(batch.blocks)

    cdef bint opened(self, tuple args, double* into, Batch* batch) except -1:
        """Reads the arguments that samples share, and opens the others; returns whether all are of their forms."""
        cdef Py_ssize_t i, samples
        cdef object form, x
        cdef _Columns columns
        cdef Block* block
        for i in range(PyTuple_GET_SIZE(args)):
            form, x = self.forms[i], args[i]
            if type(form) is not _Columns:
                into = (<Form>form).read(x, into)
                if into is NULL:
                    return False
                continue
            columns, block = form, batch.blocks + batch.count
            samples = columns.open(x, &block.buffer)
            if samples < 0:
                return False
            batch.count += 1
            block.width, block.in_rows = columns.count, columns.last or columns.count == 1
            if batch.samples >= 0 and samples != batch.samples:
                return False
            batch.samples = samples
            memset(into, 0, columns.count * sizeof(double))
            into += columns.count
        return batch.samples > 0

    cdef object calculated(self, double* numbers, Py_ssize_t room, Batch* batch, Plans plans):
        """Tries the path that was used last, unless it is not that of all samples."""
        cdef object path = self.paths[0]
        cdef BatchRoute route = self.routes.get(path)
        if route is None or path.mixed or route.room() > room:
            return _missed
        cdef object results = route.run(numbers, self.count, batch)
        if results is not _missed:
            plans.note(self, None, route.last)
        return results

    def add(self, object path, BatchRoute route):
        """As in plans.py."""
        if route is not None:
            if route.inputs.most > self.count + len(route.live) or route.rows != self.columns():
                raise IndexError("the kernel is for other numbers")
            self.room = max(self.room, route.room())
        self.routes[path] = route

    cdef Py_ssize_t columns(self):
        """Returns how many numbers of a sample the batched arguments have."""
        cdef object form
        cdef Py_ssize_t found = 0
        for form in self.forms:
            if type(form) is _Columns:
                found += (<_Columns>form).count
        return found
