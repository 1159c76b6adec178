# Memory of the compiled engine's nodes: made without Python's help, given back without recursion.
#
# A node owns a reference to each of its operands. When the last reference to a node goes, so do those that it owns, and
# with them perhaps its operands, and so on down a graph of any depth: `release` puts what has become free on a list,
# and the outermost call works through the list. (CPython's trashcan does likewise, but keeps its list in the header of
# the cyclic collector, which nodes do not have.) The collector need not see nodes, because they cannot form a cycle:
# operands are older than what is made of them, and nothing else in a node refers to a Python object but its label, a str.

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyObject_Free, PyObject_Malloc
from cpython.object cimport PyTypeObject, destructor
from cpython.ref cimport Py_INCREF, PyObject
from libc.string cimport memset

from chainrule.storage cimport Methods, Node, node_of, number_for, operation_by_code, value_of, without_constants

cdef extern from *:
    """
    #define CHAINRULE_OWNED(node) ((PyObject *)(node))
    #ifdef CHAINRULE_NO_FREELIST /* so that memory checkers see every node come and go */
    #define CHAINRULE_MOST_SPARE 131072
    #else
    #define CHAINRULE_MOST_SPARE 131072
    #endif
    static struct __pyx_obj_9chainrule_6engine_Value *chainrule_spare = NULL, *chainrule_unused = NULL;
    static int chainrule_spares = 0, chainrule_releasing = 0;
    static PyTypeObject *chainrule_Value = NULL;
    static PyObject *chainrule_no_label = NULL;
    """
    object owned "CHAINRULE_OWNED" (Node* node)  # a new reference, handed to Cython
    int MOST_SPARE "CHAINRULE_MOST_SPARE"
    Node* spare "chainrule_spare"  # nodes to be used again
    int spares "chainrule_spares"
    Node* unused "chainrule_unused"  # nodes without references that are still to be given back
    bint releasing "chainrule_releasing"
    PyTypeObject* Value "chainrule_Value"
    PyObject* no_label "chainrule_no_label"
    PyTypeObject* TYPE "Py_TYPE" (PyObject* o)
    void Py_SET_REFCNT(PyObject* o, Py_ssize_t n)
    PyObject* PyObject_Init(PyObject* o, PyTypeObject* type)
    void INCREF "Py_XINCREF" (PyObject* o)
    void DECREF "Py_XDECREF" (PyObject* o)


cdef inline int make_places(Node* node, unsigned int code, Py_ssize_t count) except -1:
    """Places for operands and local derivatives: two of each in the node itself, more in a block of their own."""
    cdef void* block
    node._code, node._count = <unsigned short>code, 0
    if count <= 2:
        node._operands, node._locals = &node._two_operands[0], &node._two_locals[0]
        node._operands[0] = node._operands[1] = NULL
        node._locals[0] = node._locals[1] = 0.0
    else:
        block = PyMem_Malloc(count * (sizeof(Node*) + sizeof(double))) if count < 1 << 31 else NULL
        if block == NULL:
            node._operands = NULL
            raise MemoryError(f"no memory for a node of {count} operands")
        memset(block, 0, count * (sizeof(Node*) + sizeof(double)))
        node._operands = <Node**>block
        node._locals = <double*>(node._operands + count)
    node._count = <unsigned int>count
    return 0


cdef inline void drop_operands(Node* node) noexcept:
    cdef unsigned int i, count = node._count
    node._count = 0
    for i in range(count):
        DECREF(<PyObject*>node._operands[i])
    if count > 2:
        PyMem_Free(node._operands)


cdef inline void prepare(object value, unsigned int code, Py_ssize_t count) except *:
    """As in storage.py."""
    cdef Node* node = node_of(value)
    drop_operands(node)  # of a node whose __init__ is called again
    node._data = node._grad = node._earlier = 0.0
    node._walk, node._state = 0, 0
    make_places(node, code, count)


cdef inline object blank(object cls, unsigned int code, Py_ssize_t count):
    """As in storage.py."""
    global spare, spares
    cdef Node* node = spare
    if node != NULL:
        spare = <Node*>node._walk
        spares -= 1
        Py_SET_REFCNT(<PyObject*>node, 1)
    else:
        node = <Node*>PyObject_Malloc(sizeof(Node))
        if node == NULL:
            raise MemoryError("no memory for one more node")
        PyObject_Init(<PyObject*>node, Value)
    node._data = node._grad = node._earlier = 0.0
    node._walk, node._state, node._count = 0, 0, 0
    node.label = no_label
    INCREF(no_label)
    value = owned(node)
    make_places(node, code, count)
    return value


cdef inline int keep(object value, Py_ssize_t i, object x) except -1:
    """As in storage.py."""
    if TYPE(<PyObject*>x) == Value or isinstance(x, Methods):
        Py_INCREF(x)
        node_of(value)._operands[i] = node_of(x)
    else:
        keep_constant(node_of(value), i, x)
    return 0


cdef inline int keep_constant(Node* node, Py_ssize_t i, object x) except -1:
    cdef double number = x if type(x) is float else number_for(node._code, x)
    constant = blank(None, 0, 0)
    Py_INCREF(constant)
    node._operands[i] = node_of(constant)
    node._operands[i]._data, node._operands[i]._state = number, 1  # stale.CONSTANT
    return 0


cdef inline void give_back(Node* node) noexcept:
    """Ends a node without references; those of its operands that go with it come onto the list of the unused."""
    global spare, spares
    drop_operands(node)
    DECREF(node.label)
    if spares < MOST_SPARE:
        node._walk = <long long>spare
        spare = node
        spares += 1
    else:
        PyObject_Free(node)


cdef inline void release(PyObject* o) noexcept:
    """What Python calls when the last reference to a Value goes (its `tp_dealloc`)."""
    global unused, releasing
    cdef Node* node = <Node*>o
    cdef PyTypeObject* cls = TYPE(o)
    if cls != Value:  # of a class of the user's own, which has memory of its own kind; no result is one
        drop_operands(node)
        DECREF(node.label)
        cls.tp_free(o)
        return
    node._walk = <long long>unused
    unused = node
    if releasing:
        return
    releasing = True
    while unused != NULL:
        node = unused
        unused = <Node*>node._walk
        give_back(node)
    releasing = False


cdef inline void end_with_release(object cls) noexcept:
    """Makes `release` the way in which Values end."""
    global Value, no_label
    Value = <PyTypeObject*>cls
    label = ""
    Py_INCREF(label)
    no_label = <PyObject*>label
    Value.tp_dealloc = <destructor>release


cdef inline bint flows(Node* operand) noexcept:
    """Whether a derivative may flow into an operand: it is no constant."""
    return not operand._state & 1  # stale.CONSTANT; checked when storage is imported


cdef inline bint is_constant(object value):
    return not flows(node_of(value))


cdef inline object operation_of(object value):
    return operation_by_code(node_of(value)._code)


cdef inline list numbers_of(Node* node):
    """The numbers of a node's operands."""
    cdef unsigned int i
    return [node._operands[i]._data for i in range(node._count)]


cdef inline tuple operands_of(object value):
    """As in storage.py."""
    cdef Node* node = node_of(value)
    cdef unsigned int i
    return tuple([value_of(node._operands[i]) for i in range(node._count)])


cdef inline tuple locals_of(object value):
    """As in storage.py."""
    cdef Node* node = node_of(value)
    cdef unsigned int i
    local = [node._locals[i] if flows(node._operands[i]) else None for i in range(node._count)]
    return without_constants(node._code, local)


cdef inline tuple state_of(object value):
    """As in storage.py."""
    cdef Node* node = node_of(value)
    made = operation_by_code(node._code), operands_of(value), locals_of(value)
    return (*made, node._data, node._grad, node._state, value.label)


cdef inline object restore(object value, tuple state):
    """As in storage.py."""
    cdef Node* node = node_of(value)
    cdef Py_ssize_t i
    op, operands, locals, data, grad, node_state, value.label = state
    prepare(value, 0 if op is None else op.code, len(operands))
    for i, operand in enumerate(operands):
        keep(value, i, operand)
        node._locals[i] = locals[i] or 0.0
    node._data, node._grad, node._state = data, grad, node_state
