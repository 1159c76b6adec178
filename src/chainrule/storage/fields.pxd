# What is read of a node of the compiled engine; how its memory is made and given back is in memory.pxd.

from chainrule.storage.nodes cimport (
    Node, check_label, label_at, node_of, operation_by_code, put_label, value_of, without_constants,
)

cdef enum:
    LABELLED = 1  # of a node's flags: its label is kept in nodes.pyx


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
    return [node._edges[i].operand._data for i in range(node._count)]


cdef inline tuple operands_of(object value):
    """As in nodes.py."""
    cdef Node* node = node_of(value)
    cdef unsigned int i
    return tuple([value_of(node._edges[i].operand) for i in range(node._count)])


cdef inline tuple locals_of(object value):
    """As in nodes.py."""
    cdef Node* node = node_of(value)
    cdef unsigned int i
    local = [node._edges[i].local if flows(node._edges[i].operand) else None for i in range(node._count)]
    return without_constants(node._code, local)


cdef inline object label_of(object value):
    return label_at(node_of(value)) if node_of(value)._flags & LABELLED else ""


cdef inline object set_label(object value, object label):
    """As in nodes.py; labels are kept beside the nodes, as few have one."""
    check_label(label)
    put_label(node_of(value), str(label))
    node_of(value)._flags |= LABELLED


cdef inline tuple state_of(object value):
    """As in nodes.py."""
    cdef Node* node = node_of(value)
    made = operation_by_code(node._code), operands_of(value), locals_of(value)
    return (*made, node._data, node._grad, node._state, label_of(value))
