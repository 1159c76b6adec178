"""The compiled engine's storage: what nodes.py does in Python, over C arrays."""

import math

from cpython.ref cimport PyObject
from libc.stdlib cimport free, realloc

from chainrule.core.operation cimport Operation
from chainrule.core import operation
from chainrule.core.operation import BY_CODE, add_methods, number
from chainrule.core.packing import Row
from chainrule.core.stale import AGAIN, CONSTANT, PASSED, SEEN, STALE, WRITTEN

cdef extern from "Python.h":
    ctypedef struct PyGetSetDef:
        const char* name
    ctypedef struct PyTypeObject:
        PyTypeObject* tp_base
        PyGetSetDef* tp_getset
        PyObject* tp_dict
        unsigned long tp_flags
    object PyDescr_NewGetSet(PyTypeObject* cls, PyGetSetDef* attribute)
    const unsigned long Py_TPFLAGS_METHOD_DESCRIPTOR
    void PyType_Modified(PyTypeObject* cls)

if (CONSTANT, STALE, WRITTEN, PASSED, AGAIN, SEEN) != (1, 12, 16, 32, 64, 128):
    raise ImportError("the files of the storage and stale.py differ in the bits of a node's state")


cdef class Methods:
    """What has the operations of the table as methods: `v.tanh()`; they are added when the engine is imported."""


cdef class Nodes:
    """A row of nodes that grows at its end. It borrows them: whoever fills it keeps the graph."""

    cdef int grow(self) except -1:
        cdef Py_ssize_t room = 2 * self.room + 32
        cdef void* nodes = realloc(self.nodes, room * sizeof(Node*))
        if nodes == NULL:
            raise MemoryError(f"no memory for a row of {room} nodes")
        self.nodes, self.room = <Node**>nodes, room
        return 0

    def __iter__(self):
        cdef Py_ssize_t i
        return iter([value_of(self.nodes[i]) for i in range(self.count)])

    def __dealloc__(self):
        free(self.nodes)


cdef Nodes row_of(object values):
    """As in nodes.py."""
    row = Nodes()
    for value in values:
        if not isinstance(value, Methods):
            raise TypeError(f"a Value is needed, not the {type(value).__name__} {value!r}")
        row.append(node_of(value))
    return row


cdef int no_memory(Py_ssize_t count) except -1:
    raise MemoryError(f"no memory for a node of {count} operands")


cdef double number_for(unsigned int code, object x) except? -1.0:
    """A plain number among the operands of an operation."""
    return number(x, BY_CODE[code].name)


cdef object row_of_numbers(list numbers):
    """The numbers of the operands, for several calls of `slope_by_call`."""
    return Row(numbers)


cdef double value_by_call(unsigned int code, object numbers) except? -1.0:
    """The number of a result, by a call of the operation's own Python function."""
    op = BY_CODE[code]
    return number(op.value(*numbers), op.name)


cdef double slope_by_call(unsigned int code, Py_ssize_t i, object numbers, double y) except? -1.0:
    """A local derivative, likewise."""
    return BY_CODE[code].slope(i, numbers, y)


cdef double python_math(str name, tuple numbers) except? -1.0:
    """A function of Python's `math` that is more than the C library's."""
    return getattr(math, name)(*numbers)


cdef tuple without_constants(unsigned int code, list locals):
    """The local derivatives, None for those that the operation lacks."""
    op = BY_CODE[code]
    return tuple([local if op.flows(i) else None for i, local in enumerate(locals)])


cdef dict _labels = {}  # by the address of a node: few have one


cdef object check_label(object label):
    operation.check_label(label)


cdef object label_at(Node* node):
    return _labels[<size_t>node]


cdef int put_label(Node* node, str label) except -1:
    _labels[<size_t>node] = label
    return 0


cdef void drop_label(Node* node) noexcept:
    _labels.pop(<size_t>node, None)
    if not _labels:
        _labels.clear()  # a dict keeps its size otherwise


cdef object operation_by_code(unsigned int code):
    return BY_CODE[code]


def _set_attribute(type cls, str name, x):
    """`setattr`, which refuses a class that Cython made."""
    (<dict>(<PyTypeObject*>cls).tp_dict)[name] = x
    PyType_Modified(<PyTypeObject*>cls)


def _delete_attribute(type cls, str name):
    """`delattr`, likewise."""
    del (<dict>(<PyTypeObject*>cls).tp_dict)[name]
    PyType_Modified(<PyTypeObject*>cls)


cdef object give_methods(object cls, tuple compiled):
    """As `add_table` in nodes.py; refuses another table than that which was compiled."""
    (<PyTypeObject*>Operation).tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR  # v.tanh() calls it without a bound method
    if compiled != tuple([op.name for op in BY_CODE[1:]]):
        raise ImportError("chainrule was compiled from another table of operations than that in ops/: install it anew")
    add_methods(cls, _set_attribute, _delete_attribute)
    _make_its_own(cls)


cdef int _make_its_own(object cls) except -1:
    """Gives a class `data` and `grad` of its own: those of its base would look through an object's classes each time."""
    cdef PyGetSetDef* attribute = (<PyTypeObject*>cls).tp_base.tp_getset
    while attribute.name != NULL:
        _set_attribute(cls, attribute.name.decode(), PyDescr_NewGetSet(<PyTypeObject*>cls, attribute))
        attribute += 1
    return 0
