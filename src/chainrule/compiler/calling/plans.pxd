# Types for plans.pyx.

from chainrule.compiler.calling.forms cimport Form

cdef object _missed


cdef class Places:
    cdef Py_ssize_t* items
    cdef Py_ssize_t* runs
    cdef Py_ssize_t count, runs_count, most
    cdef void gather(self, double* source, double* into) noexcept nogil


cdef bint all_finite(double* numbers, Py_ssize_t count) noexcept nogil


cdef class Use:
    cdef public Py_ssize_t last


cdef class Plan:
    cdef object what, argnums
    cdef readonly dict routes
    cdef list paths
    cdef Use use
    cdef tuple forms
    cdef Py_ssize_t count, room
    cdef object run(self, tuple args, Plans plans)
    cdef bint read(self, tuple args, double* into) except -1
    cdef object tried(self, double* numbers, Py_ssize_t room, Plans plans)


cdef class Plans:
    cdef object runner, paths
    cdef bint batches
    cdef dict kept
    cdef public Py_ssize_t calls
    cdef int note(self, Plan plan, object path, tuple last) except -1
