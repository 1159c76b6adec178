# What is read of a node of the compiled engine; how its memory is made and given back is in memory.pxd.

from libc.stdlib cimport calloc, free

from chainrule.storage.nodes cimport (
    FACE, HIDDEN, LABELLED, Node, check_label, label_at, node_of, operation_by_code, put_label, value_of,
    without_constants,
)


cdef inline Node* maker(Node* node) noexcept:
    """The node that holds how a result was made: it itself, or the one behind its face."""
    return node._edges_[0].operand if node._flags & FACE else node


cdef inline Node* giver(object value) noexcept:
    """As in nodes.py."""
    cdef Node* node = maker(node_of(value))
    node._grad_ = node_of(value)._grad_
    return node


cdef inline bint is_hidden(object value):
    return node_of(value)._flags & HIDDEN


cdef inline bint flows(Node* operand) noexcept:
    """Whether a derivative may flow into an operand: it is no constant."""
    return not operand._state_ & 1  # stale.CONSTANT; checked when storage is imported


cdef inline bint is_constant(object value):
    return not flows(node_of(value))


cdef inline object operation_of(object value):
    return operation_by_code(node_of(value)._code_)


cdef inline list numbers_of(Node* node):
    """The numbers of a node's operands."""
    cdef unsigned int i
    return [node._edges_[i].operand._data_ for i in range(node._count_)]


cdef inline tuple operands_of(object value):
    """As in nodes.py."""
    cdef Node* node = maker(node_of(value))
    cdef unsigned int i
    return tuple([value_of(node._edges_[i].operand) for i in range(node._count_)])


cdef inline tuple locals_of(object value):
    """As in nodes.py."""
    cdef Node* node = maker(node_of(value))
    cdef unsigned int i
    local = [node._edges_[i].local if flows(node._edges_[i].operand) else None for i in range(node._count_)]
    return without_constants(node._code_, local)


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
    made = operation_by_code(node._code_), operands_of(value), locals_of(value)
    return (*made, node._data_, node._grad_, node._state_, label_of(value))


cdef inline void add_products(Node* node, double upstream, double* sums) noexcept:
    """Adds local derivative × gradient to the sum of each operand that is in the order."""
    cdef unsigned int k
    for k in range(node._count_):
        if node._edges_[k].local and node._edges_[k].operand._mark_ < 0:
            sums[-1 - node._edges_[k].operand._mark_] += node._edges_[k].local * upstream


cdef inline list derivatives_by_locals(list order, list variables, double upstream):
    """As in nodes.py. Meanwhile, as nothing can come between in C, the marks of the nodes are their places in the order,
    as negative numbers."""
    cdef Py_ssize_t i, n = len(order)
    cdef double* sums = <double*>calloc(n + 1, sizeof(double))
    if sums == NULL:
        raise MemoryError(f"no memory for {n} gradients")
    cdef long long mark = node_of(order[0])._mark_ if n else 0
    for i in range(n):
        node_of(order[i])._mark_ = -1 - i
    sums[n - 1 if n else 0] = upstream
    for i in range(n - 1, -1, -1):
        if sums[i]:
            add_products(maker(node_of(order[i])), sums[i], sums)
    try:
        return [sums[-1 - node_of(x)._mark_] if node_of(x)._mark_ < 0 else 0.0 for x in variables]
    finally:
        for i in range(n):
            node_of(order[i])._mark_ = mark
        free(sums)
