# Types for module.py, where Cython compiles it: the walk over the parts of a Module, which each step of training makes.

cimport cython

cdef dict KINDS
cdef int LEAF, MODULE, OWN_MODULE, PLAIN, ROW

@cython.locals(parameters=dict, seen=dict, levels=list, category=int)
cdef dict _walk(object root, object walk, list names)
