# The compiled engine's storage: what nodes.py does in Python, over C arrays.

from cpython.object cimport PyObject

cdef struct Edge  # from a node to one of its operands

cdef extern from *:
    # A Value as C sees it (the class itself stands in value_base.pxd): reading and following it counts no references.
    ctypedef struct Node "struct __pyx_obj_9chainrule_7storage_10value_base_ValueBase":
        double _data_
        double _grad_
        long long _mark_
        unsigned int _count_
        unsigned short _code_
        unsigned char _state_
        unsigned char _flags
        Edge* _edges_
        double _grad_before_ "_edges_[0].local"  # of a leaf, which has no edges but two places for them

cdef enum:  # a node's flags
    LABELLED = 1  # its label is kept in nodes.pyx
    IN_SLAB = 2  # its memory is in a slab; otherwise it is Python's
    OWN = 4  # so are attributes of the user's own
    FACE = 8  # it is of a subclass, and its one operand is the plain node that holds how it was made
    HIDDEN = 16  # it is such a plain node, of which only the engine knows
    DERIVED = 32  # one of its operands is of a subclass

cdef struct Edge:
    Node* operand
    double local


cdef extern from *:
    """
    #ifdef __GNUC__
    #define CHAINRULE_PREFETCH(node) __builtin_prefetch((char *)(node) + 16, 1)
    #else
    #define CHAINRULE_PREFETCH(node)
    #endif
    """
    void prefetch "CHAINRULE_PREFETCH" (Node* node) noexcept


cdef class Methods:
    pass


cdef class Nodes:
    cdef Node** nodes
    cdef Py_ssize_t count
    cdef Py_ssize_t room

    cdef int grow(self) except -1

    cdef inline int append(self, Node* node) except -1:
        if self.count == self.room:
            self.grow()
        prefetch(node)  # it will be looked at soon, and a graph is larger than the cache
        self.nodes[self.count] = node
        self.count += 1
        return 0

    cdef inline Node* pop(self) noexcept:
        self.count -= 1
        return self.nodes[self.count]

    cdef inline void put_back(self, Node* node) noexcept:  # after pop(): there is room, and it has been prefetched
        self.nodes[self.count] = node
        self.count += 1


cdef inline Node* node_of(object value) noexcept:
    return <Node*><PyObject*>value


cdef inline object value_of(Node* node):
    return <object><PyObject*>node


cdef Nodes row_of(object values)
cdef int no_memory(Py_ssize_t count) except -1
cdef bint is_array(unsigned int code, object x, double* plain) except -1
cdef object row_of_numbers(list numbers)
cdef double value_by_call(unsigned int code, object numbers) except? -1.0
cdef double slope_by_call(unsigned int code, Py_ssize_t i, object numbers, double y) except? -1.0
cdef double python_math(str name, tuple numbers) except? -1.0
cdef tuple without_constants(unsigned int code, list locals)
cdef object give_methods(object cls, tuple compiled, size_t flags_at)
cdef object check_label(object label)
cdef object label_at(Node* node)
cdef int put_label(Node* node, str label) except -1
cdef void drop_beside(Node* node) noexcept
cpdef object own_of(object value)
cdef object class_of_result(object cls, tuple operands)
cdef object operation_by_code(unsigned int code)
