"""The compiled engine's storage: what nodes.py does in Python, over C arrays."""

import math

from cpython.ref cimport PyObject
from libc.stdlib cimport free, realloc

from chainrule.core.operation cimport Operation
from chainrule.core import attributes, operation
from chainrule.core.arrays import takes_over
from chainrule.core.foreign_names import FOREIGN_NAMES
from chainrule.core.hooks import check_read
from chainrule.core.modes import open_traces
from chainrule.core.operation import BY_CODE, add_methods, number
from chainrule.core.packing import Row
from chainrule.core.stale import AGAIN, CONSTANT, PASSED, SEEN, STALE, WRITTEN
from chainrule.errors import OperandError

cdef extern from "Python.h":
    ctypedef struct PyGetSetDef:
        const char* name
    ctypedef struct PyTypeObject:
        PyTypeObject* tp_base
        PyGetSetDef* tp_getset
        PyObject* tp_dict
        Py_ssize_t tp_dictoffset
        unsigned long tp_flags
    object PyDescr_NewGetSet(PyTypeObject* cls, PyGetSetDef* attribute)
    const unsigned long Py_TPFLAGS_IMMUTABLETYPE
    const unsigned long Py_TPFLAGS_METHOD_DESCRIPTOR
    void PyType_Modified(PyTypeObject* cls)
    int generic_setattr "PyObject_GenericSetAttr" (PyObject* o, PyObject* name, PyObject* x) noexcept
    object generic_dict "PyObject_GenericGetDict" (object o, void* context)
    void PyErr_Fetch(PyObject** kind, PyObject** error, PyObject** traceback) noexcept
    void PyErr_Restore(PyObject* kind, PyObject* error, PyObject* traceback) noexcept
    bint PyErr_ExceptionMatches(object kind) noexcept
    void PyErr_Clear() noexcept
    PyTypeObject* TYPE "Py_TYPE" (PyObject* o) noexcept

cdef extern from *:
    """
    static int chainrule_failed(void) { return -1; }
    """
    int failed "chainrule_failed"() except -1  # goes on with the error that is set

if (CONSTANT, STALE, WRITTEN, PASSED, AGAIN, SEEN) != (1, 12, 16, 32, 64, 128):
    raise ImportError("the files of the storage and stale.py differ in the bits of a node's state")


cdef class Methods:
    """What has the operations of the table as methods: `v.tanh()`; they are added when the engine is imported."""

    def __setattr__(self, name, x):
        """Sets an attribute that the class has, or one of the user's own.

        For the latter, which Values have no room for, the class gets an `OwnAttribute` of that name: so the way to all
        other attributes stays as short as it is.
        """
        if TYPE(<PyObject*>self).tp_dictoffset != 0:  # of a subclass, with a dict
            if hasattr(type(self), name):
                attributes.check_no_method(type(self), Value, name)
            else:
                attributes.check_name(type(self), name)
        if generic_setattr(<PyObject*>self, <PyObject*>name, <PyObject*>x) == 0:
            return
        if is_unknown(type(self), name):
            attributes.check_name(type(self), name)
            _set_attribute(Value, name, OwnAttribute(name))
            own_dict(self, True)[name] = x


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
        return iter([value_of(self.nodes[i]) for i in range(self.count) if not flags_of(self.nodes[i])[0] & HIDDEN])

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


cdef bint is_array(unsigned int code, object x, double* plain) except -1:
    """Whether an operand is an array, which takes over; if not, `plain` becomes its number."""
    try:
        plain[0] = number(x, BY_CODE[code].name)
    except OperandError:
        if not takes_over(x):
            raise
        return True
    return False


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


cdef object Value = None  # the class of nodes, once it is defined
cdef size_t flags_at  # where the flags lie in a node, of whose fields nothing else is known here


cdef inline unsigned char* flags_of(void* node) noexcept:
    return <unsigned char*>node + flags_at


cdef dict _labels = {}  # by the address of a node: few have one


cdef object check_label(object label):
    operation.check_label(label)


cdef object label_at(Node* node):
    return _labels[<size_t>node]


cdef int put_label(Node* node, str label) except -1:
    _labels[<size_t>node] = label
    return 0


cdef void drop_beside(Node* node) noexcept:
    """Drops what is kept beside a node."""
    for kept in (_labels, _own):
        kept.pop(<size_t>node, None)
        if not kept:
            kept.clear()  # a dict keeps its size otherwise


# ---- attributes of the user's own ----
cdef dict _own = {}  # by the address of a node: a dict of them


cdef dict own_dict(object value, bint make):
    """The dict of such attributes of a Value, which is made if need be; None if there is none."""
    cdef Node* node = node_of(value)
    if TYPE(<PyObject*>value).tp_dictoffset != 0:  # of a subclass, which has room for it
        return generic_dict(value, NULL)
    if not flags_of(node)[0] & OWN:
        if not make:
            return None
        _own[<size_t>node] = {}
        flags_of(node)[0] |= OWN
    return _own[<size_t>node]


cdef bint is_unknown(object cls, object name) except -1:
    """Whether an attribute could not be set because the class has none of that name; another error goes on."""
    cdef PyObject* kind
    cdef PyObject* error
    cdef PyObject* traceback
    if not PyErr_ExceptionMatches(AttributeError):
        failed()
    PyErr_Fetch(&kind, &error, &traceback)
    known = hasattr(cls, name)
    PyErr_Restore(kind, error, traceback)
    if known:
        failed()
    PyErr_Clear()
    return True


cdef class OwnAttribute:
    """An attribute of the user's own: it is there on those Values alone on which it was set."""

    cdef str name

    def __cinit__(self, str name):
        self.name = name

    cdef dict kept(self, object value):
        """The dict that has it."""
        kept = None if value is None else own_dict(value, False)
        if kept is None or self.name not in kept:
            attributes.refuse_missing("Value" if value is None else type(value).__name__, self.name)
        return kept

    def __get__(self, value, owner):
        x = self.kept(value)[self.name]
        if open_traces and TYPE(<PyObject*>value) == <PyTypeObject*>Value:
            check_read(value, self.name)
        return x

    def __set__(self, value, x):
        own_dict(value, True)[self.name] = x

    def __delete__(self, value):
        del self.kept(value)[self.name]


cpdef object own_of(object value):
    """As in nodes.py."""
    return dict(own_dict(value, False) or {})


# ---- classes ----
cdef object class_of_result(object cls, tuple operands):
    for operand in operands:
        cls = attributes.more_derived(cls, type(operand))
    return cls


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


cdef object give_methods(object cls, tuple compiled, size_t flags):
    """As `add_table` in nodes.py; refuses another table than that which was compiled."""
    global Value, flags_at
    Value, flags_at = cls, flags
    (<PyTypeObject*>cls).tp_flags &= ~Py_TPFLAGS_IMMUTABLETYPE  # `Value.own = f` is a method, as of a class of Python's
    (<PyTypeObject*>Operation).tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR  # v.tanh() calls it without a bound method
    if compiled != tuple([op.name for op in BY_CODE[1:]]):
        raise ImportError("chainrule was compiled from another table of operations than that in ops/: install it anew")
    add_methods(cls, _set_attribute, _delete_attribute)
    _make_its_own(cls)
    for reserved in (*attributes.slips(""), *FOREIGN_NAMES.values()):  # the other slips are found when they are set
        _set_attribute(cls, reserved.name, reserved)
    _set_attribute(cls, "__dict__", property(own_of))


cdef int _make_its_own(object cls) except -1:
    """Gives a class `data` and `grad` of its own: those of its base would look through an object's classes each time."""
    cdef PyGetSetDef* attribute = (<PyTypeObject*>cls).tp_base.tp_getset
    while attribute.name != NULL:
        _set_attribute(cls, attribute.name.decode(), PyDescr_NewGetSet(<PyTypeObject*>cls, attribute))
        attribute += 1
    return 0
