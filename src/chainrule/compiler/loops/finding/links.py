"""Links: the statements of chains, which give each iteration what the one before has made."""

from __future__ import annotations

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.finding.axes import axes_of
from chainrule.compiler.loops.finding.frames import Frame
from chainrule.compiler.loops.finding.grouping import CONSTANT, Chain, Group, Grouping, Operand
from chainrule.compiler.loops.finding.statements import NoLoopsError, Writer
from chainrule.compiler.loops.program import Array, Program, Statement
from chainrule.ops import identity


def to_program(graph: Graph, grouping: Grouping) -> Program:
    """The statements that calculate a graph.

    Args:
        graph: whose nodes were grouped.
        grouping: the groups.

    Raises:
        NoLoopsError: what looked like a chain is none.
    """
    return ChainWriter(graph, grouping).write()


class ChainWriter(Writer):
    """A writer that knows of chains."""

    def chain(self, chain: Chain) -> list[Statement]:
        """The statements of a chain: what its arrays begin with, and then its body."""
        initial: dict[int, dict[int, int]] = {
            at: {} for at in chain.groups
        }  # group: node at each place before the first
        for at in chain.groups:
            for operand in self.groups[at].all_operands():
                self._go_back(operand, chain.length, initial)
        self._check_order(chain)
        inner = {}
        for at in chain.groups:
            group = self.groups[at]
            members = len(group) // chain.length
            before = -min([place // members for place in initial[at]], default=0)
            inner[at] = self._inner_axes(group, chain)
            self._add_array(Array((before + chain.length, *inner[at]), self.varies[at]), at)
            self.rows[at] = (members, before)
        number = self.chain_of[chain.groups[0]]
        statements = [s for at in chain.groups if initial[at] for s in self._beginnings(at, initial[at], inner[at])]
        return statements + [self._link(at, (chain.length, *inner[at]), number) for at in chain.groups]

    def _go_back(self, operand: Operand, length: int, initial: dict[int, dict[int, int]]) -> None:
        """Gives the foreign operands of the first iterations the places before the first: -1 is the last of these."""
        if not operand.foreign:
            return
        if operand.group not in initial:
            raise NoLoopsError("an operand of a chain comes from here and there")
        members = len(self.groups[operand.group]) // length
        each = len(operand.places) // length
        if len(operand.places) % length:
            raise NoLoopsError("the iterations of a chain differ in size")
        for i in sorted(operand.foreign, reverse=True):
            if self.varies[self.grouping.group_of[operand.foreign[i]]] and not self.varies[operand.group]:
                raise NoLoopsError("a chain that is the same for all samples begins with what is not")
            if i + each >= len(operand.places):
                raise NoLoopsError("all of an operand of a chain is foreign")
            place = int(operand.places[i + each]) - members
            if initial[operand.group].setdefault(place, operand.foreign[i]) != operand.foreign[i] or place >= 0:
                raise NoLoopsError("a chain begins with two things at once")
            operand.places[i] = place

    def _check_order(self, chain: Chain) -> None:
        """Refuses a chain that would read what is not there yet.

        Its groups have their members in the order of nodes, which need not be that of iterations: of several loops side
        by side each may be written down as a whole. So either each iteration must read earlier ones alone, or each
        member earlier members.
        """
        order = {at: k for k, at in enumerate(chain.groups)}
        by_iteration = by_member = True
        for at in chain.groups:
            for operand in self.groups[at].all_operands():
                if operand.group in order:
                    read, size = operand.places, len(self.groups[operand.group])
                    later = int(order[operand.group] >= order[at])
                    iteration = np.arange(len(read)) // max(len(read) // chain.length, 1)
                    by_iteration &= bool((read // (size // chain.length) + later <= iteration).all())
                    by_member &= len(read) == size == len(self.groups[at])
                    by_member = by_member and bool((read + later <= np.arange(len(read))).all())
        if not (by_iteration or by_member):
            raise NoLoopsError("the iterations of a chain stand in another order than its nodes")

    def _inner_axes(self, group: Group, chain: Chain) -> tuple[int, ...]:
        """The axes of one iteration."""
        members = len(group) // chain.length
        if members == 1:
            return ()
        columns = []
        for operand in group.all_operands():
            if operand.group in self.array_of and operand.group not in self.rows and len(operand.places) == len(group):
                columns.append(self._columns(self._operand(operand), lambda group: True)[-members:])
            elif len(operand.places) == len(group):
                columns.append(operand.places[-members:, None])
        axes = axes_of(np.concatenate(columns, axis=1)) if columns else None
        return axes if axes is not None else (members,)

    def _beginnings(self, at: int, nodes: dict[int, int], inner: tuple[int, ...]) -> list[Statement]:
        members, before = self.rows[at]
        statements = []
        for row in range(-before, 0):
            found = [nodes.get(row * members + e) for e in range(members)]
            known = [node for node in found if node is not None]
            if not known:
                continue
            groups = {self.grouping.group_of[node] for node in known}
            if len(groups) > 1:
                raise NoLoopsError("what a chain begins with comes from here and there")
            group = groups.pop()
            filled = [known[0] if node is None else node for node in found]
            places = np.array([node if group == CONSTANT else self.grouping.place_of[node] for node in filled])
            source = self._expression(self._operand(Operand(group, places)), Frame((1, *inner)))
            statement = Statement(self.array_of[at], (1, *inner), identity, [source], [], self.varies[at])
            statement.row = row + before
            statements.append(statement)
        return statements

    def _link(self, at: int, axes: tuple[int, ...], number: int) -> Statement:
        group = self.groups[at]
        assert group.op is not None
        frame = Frame(axes)
        arguments = [self._expression(self._operand(x), frame) for x in group.operands]
        sums = [self._sum(self._steps(run, group), frame) for run in group.runs]
        return Statement(self.array_of[at], axes, group.op, arguments, sums, self.varies[at], self.rows[at][1], number)
