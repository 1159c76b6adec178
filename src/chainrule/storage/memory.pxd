# Memory of the compiled engine's nodes: made without Python's help, given back without recursion. (For engine.pxd alone:
# what is static here must exist once.)
#
# A node owns a reference to each of its operands. When the last reference to a node goes, so do those that it owns, and
# with them perhaps its operands, and so on down a graph of any depth: `release` puts what has become free on a list,
# and the outermost call works through the list. (CPython's trashcan does likewise, but keeps its list in the header of
# the cyclic collector, which nodes do not have.) The collector need not see nodes, because they cannot form a cycle:
# operands are older than what is made of them, and nothing else in a node refers to a Python object.

from cpython.object cimport PyTypeObject, destructor
from cpython.ref cimport Py_INCREF, PyObject

from chainrule.core.stale cimport after_backward
from chainrule.storage.fields cimport maker, operands_of, set_label
from chainrule.storage.nodes cimport (
    DERIVED, FACE, HIDDEN, IN_SLAB, LABELLED, OWN, Edge, Node, Nodes, class_of_result, drop_beside, is_array, no_memory,
    node_of, prefetch, value_of,
)
from chainrule.storage.value_base cimport ValueBase

cdef extern from "slabs.h":
    void* slab_take(size_t size) noexcept
    void slab_give(void* node) noexcept
    void* wide_take(size_t size) noexcept
    void wide_give(void* node, size_t size) noexcept
    void wide_given() noexcept
    object collector_callback()

cdef extern from *:
    """
    #define CHAINRULE_OWNED(node) (node)
    static struct __pyx_obj_9chainrule_7storage_10value_base_ValueBase *chainrule_unused = NULL;
    static int chainrule_releasing = 0;
    static long long chainrule_last_mark = 0;
    static PyTypeObject *chainrule_Value = NULL;
    """
    ValueBase owned "CHAINRULE_OWNED" (Node* node)  # a new reference, handed to Cython
    Node* unused "chainrule_unused"  # nodes without references that are still to be given back
    bint releasing "chainrule_releasing"
    long long last_mark "chainrule_last_mark"
    PyTypeObject* Value "chainrule_Value"
    PyTypeObject* TYPE "Py_TYPE" (PyObject* o)
    bint PyObject_TypeCheck(PyObject* o, PyTypeObject* type)
    PyObject* PyObject_Init(PyObject* o, PyTypeObject* type)
    void DECREF "Py_XDECREF" (PyObject* o)
    bint unlikely(bint condition) noexcept  # a hint to the compiler of C


cdef inline void drop_operands(Node* node) noexcept:
    cdef unsigned int i, count = node._count_
    node._count_ = 0
    for i in range(count):
        DECREF(<PyObject*>node._edges_[i].operand)


cdef inline int make_leaf(object value, double data, object label) except -1:
    """As in nodes.py."""
    cdef Node* node = node_of(value)
    drop_operands(node)  # of a result whose __init__ is called again
    if node._flags & LABELLED:
        set_label(value, "")
    node._data_, node._grad_, node._mark_ = data, 0.0, last_mark
    node._code_, node._state_ = 0, 0
    node._flags &= IN_SLAB | OWN | LABELLED
    if label:
        set_label(value, label)
    return 0


cdef inline size_t size_of(size_t count) noexcept:
    """The bytes of a node; there is room for two operands in each."""
    return sizeof(Node) + (count - 2 if count > 2 else 0) * sizeof(Edge)


cdef inline ValueBase new_small_node(unsigned int code, unsigned int count):
    """A node of up to two operands, which are all of one size, and lie in slabs."""
    return begun(<Node*>slab_take(sizeof(Node)), code, count, IN_SLAB)


cdef inline ValueBase new_node(unsigned int code, Py_ssize_t count):
    """A node with places for `count` operands."""
    if count <= 2:
        return new_small_node(code, <unsigned int>count)
    return begun(<Node*>wide_take(size_of(count)) if count < 1 << 31 else NULL, code, count, 0)


cdef inline ValueBase begun(Node* node, unsigned int code, Py_ssize_t count, unsigned char flags):
    """A node in memory that was just taken."""
    cdef Py_ssize_t i
    if node == NULL:
        no_memory(count)
    PyObject_Init(<PyObject*>node, Value)
    node._data_, node._grad_, node._mark_ = 0.0, 0.0, last_mark
    node._code_, node._count_ = <unsigned short>code, <unsigned int>count
    node._state_, node._flags = 0, flags
    for i in range(count):
        node._edges_[i].operand = NULL
        node._edges_[i].local = 0.0
    return owned(node)


cdef inline int set_operand(object value, Py_ssize_t i, object x) except -1:
    """Makes `x` the i-th operand of a new node; a plain number becomes a constant. Returns whether it is an array, which
    takes over; then it is no operand."""
    if TYPE(<PyObject*>x) == Value:
        Py_INCREF(x)
        node_of(value)._edges_[i].operand = node_of(x)
    elif PyObject_TypeCheck(<PyObject*>x, Value):
        Py_INCREF(x)
        node_of(value)._edges_[i].operand = node_of(x)
        node_of(value)._flags |= DERIVED
    else:
        return set_constant(node_of(value), i, x)
    return 0


cdef inline ValueBase new_result(object cls, unsigned int code, tuple operands):
    """As in nodes.py."""
    cdef Py_ssize_t i
    node = new_node(code, len(operands))
    for i in range(len(operands)):
        if set_operand(node, i, operands[i]):
            return None
    return of_its_class(node) if unlikely(node_of(node)._flags & DERIVED) else node


cdef inline ValueBase new_pair(object cls, unsigned int code, object a, object b):
    """As in nodes.py."""
    node = new_small_node(code, 2)
    if set_operand(node, 0, a) or set_operand(node, 1, b):
        return None
    return of_its_class(node) if unlikely(node_of(node)._flags & DERIVED) else node


cdef inline object bare(object cls):
    """A leaf of the class Value or of a subclass, whose own `__new__` and `__init__` are not called."""
    value = Value.tp_new(<type>cls, <PyObject*>(), NULL)
    node_of(value)._mark_ = last_mark
    return value


cdef inline ValueBase of_its_class(ValueBase node):
    """A result some of whose operands are of a subclass, as a Value of that class.

    An object of a subclass has room for two operands at most, since its own attributes come behind. So the plain node
    stays, hidden, and the object is a face in front of it: with it as the only operand, and its number.
    """
    cls = class_of_result(<object>Value, operands_of(node))
    node_of(node)._flags &= ~DERIVED
    if <PyTypeObject*>cls == Value:
        return node
    face = bare(cls)
    Py_INCREF(node)
    node_of(face)._edges_[0].operand, node_of(face)._edges_[0].local = node_of(node), 1.0
    node_of(face)._code_, node_of(face)._count_ = node_of(node)._code_, 1
    node_of(face)._flags |= FACE
    node_of(node)._flags |= HIDDEN
    return face


cdef inline int set_constant(Node* node, Py_ssize_t i, object x) except -1:
    cdef double number
    if type(x) is float:
        number = x
    elif is_array(node._code_, x, &number):
        return 1
    constant = new_small_node(0, 0)
    Py_INCREF(constant)
    node._edges_[i].operand = node_of(constant)
    node_of(constant)._data_, node_of(constant)._state_ = number, 1  # stale.CONSTANT
    return 0


cdef inline void give_back(Node* node) noexcept:
    """Ends a node without references; those of its operands that go with it come onto the list of the unused."""
    cdef unsigned int count = node._count_
    cdef PyTypeObject* cls = TYPE(<PyObject*>node)
    drop_operands(node)
    if node._flags & (LABELLED | OWN):
        drop_beside(node)
    if unlikely(cls != Value):  # of a class of the user's own, which has memory of its own kind
        cls.tp_free(<void*>node)
        DECREF(<PyObject*>cls)
    elif node._flags & IN_SLAB:
        slab_give(node)
    else:
        wide_give(node, size_of(count))


cdef inline void release(PyObject* o) noexcept:
    """What Python calls when the last reference to a Value goes (its `tp_dealloc`)."""
    global unused, releasing
    cdef Node* node = <Node*>o
    if unlikely(TYPE(o) != Value):
        Py_INCREF(<object>TYPE(o))  # Python gives its own reference up when this returns
    node._mark_ = <long long>unused
    unused = node
    if releasing:
        return
    releasing = True
    while unused != NULL:
        node = unused
        unused = <Node*>node._mark_
        give_back(node)
    releasing = False
    wide_given()


cdef inline int end_with_release(object cls) except -1:
    """Makes `release` the way in which Values end; a full collection gives back the memory of those that ended."""
    global Value
    Value = <PyTypeObject*>cls
    Value.tp_dealloc = <destructor>release
    import gc
    gc.callbacks.append(collector_callback())
    return 0


cdef inline long long new_marks() noexcept:
    """As in nodes.py."""
    global last_mark
    last_mark += 2
    return last_mark - 1


cdef inline int append_operands(Nodes path, Node* node, long long entered) except -1:
    """As in nodes.py, but for the marks of operands: to look at these now would be to wait for their memory."""
    cdef Py_ssize_t i, count = node._count_
    cdef Node** end
    while path.room - path.count < count:
        path.grow()
    end = path.nodes + path.count
    for i in range(count):
        prefetch(node._edges_[count - 1 - i].operand)
        end[i] = node._edges_[count - 1 - i].operand
    path.count += count
    return 0


cdef inline (Node*, double) edge_at(Node* node, Py_ssize_t i) noexcept:
    """As in nodes.py."""
    return node._edges_[i].operand, node._edges_[i].local


cdef inline int watch(Node* node, long long since, bint afresh) noexcept:
    """As in nodes.py."""
    if node._mark_ < since:
        node._state_ |= (node._state_ & 32) << 1  # stale.AGAIN if it was stale.PASSED
    if not afresh:
        return 0
    node._state_ |= 32
    return node._state_ & 64


cdef inline list doubtful(Nodes results):
    """As in nodes.py."""
    cdef Node* node
    cdef Py_ssize_t i
    cdef unsigned int k
    found = []
    for i in range(results.count):
        node = results.nodes[i]
        if not node._state_ & 64:  # stale.AGAIN
            continue
        node._state_ &= ~64
        for k in range(node._count_):
            if node._edges_[k].operand._state_ & 16:  # stale.WRITTEN
                found.append(value_of(node))
                break
    return found


cdef inline object renew(object value):
    """As in nodes.py."""
    node_of(value)._state_ &= ~(32 | 64)  # stale.PASSED, AGAIN
    maker(node_of(value))._state_ &= ~(32 | 64)
    return value


cdef inline int set_aside(Nodes leaves) except -1:
    """As in nodes.py; nothing can come between in C."""
    cdef Node* leaf
    cdef Py_ssize_t i
    for i in range(leaves.count):
        leaf = leaves.nodes[i]
        if leaf._state_ & (12 | 128):  # stale.STALE, SEEN
            leaf._state_ = after_backward(leaf._state_, leaf._grad_)
        leaf._grad_before_, leaf._grad_ = leaf._grad_, 0.0
    return 0


cdef inline int add_back(Nodes leaves) noexcept:
    """As in nodes.py."""
    cdef Py_ssize_t i
    for i in range(leaves.count):
        leaves.nodes[i]._grad_ += leaves.nodes[i]._grad_before_
    return 0


cdef inline object remade(object cls, tuple state):
    """As in nodes.py."""
    cdef Node* node
    cdef Py_ssize_t i
    op, operands, locals, data, grad, node_state, label = state
    value = bare(cls) if op is None else new_node(op.code, len(operands))
    node = node_of(value)
    for i, operand in enumerate(operands):
        set_operand(value, i, operand)
        node._edges_[i].local = 0.0 if locals[i] is None else locals[i]
    node._data_ = data
    if node._flags & DERIVED:
        value = of_its_class(value)
    node = node_of(value)
    node._data_, node._grad_ = data, grad
    node._state_ = node_state | (node_state & 32) << 1  # stale.PASSED, AGAIN: no walk is known to have passed the copy
    if label:
        set_label(value, label)
    return value
