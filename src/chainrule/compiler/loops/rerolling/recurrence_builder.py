"""The statements of recurrences, in which each iteration reads results of the one before."""

from __future__ import annotations

import numpy as np

from chainrule.compiler.graph.graph import Graph
from chainrule.compiler.loops.program import Array, Program, Statement
from chainrule.compiler.loops.rerolling.axes import axes_of
from chainrule.compiler.loops.rerolling.domains import Domain
from chainrule.compiler.loops.rerolling.grouping import CONSTANT, Group, Grouping, Operand, Recurrence
from chainrule.compiler.loops.rerolling.statements import NoLoopsError, ProgramBuilder
from chainrule.ops import identity


def to_program(graph: Graph, grouping: Grouping) -> Program:
    """Builds the statements that calculate a graph.

    Args:
        graph: the graph whose nodes were grouped.
        grouping: the groups.

    Raises:
        NoLoopsError: a recurrence cannot run as a loop.
    """
    return RecurrenceBuilder(graph, grouping).write()


class RecurrenceBuilder(ProgramBuilder):
    """Builds programs that contain recurrences."""

    def recurrence(self, recurrence: Recurrence) -> list[Statement]:
        """The statements of a recurrence: its initial values, then its body."""
        # for each group the node at each place in front of the first iteration
        initial: dict[int, dict[int, int]] = {at: {} for at in recurrence.groups}
        for at in recurrence.groups:
            for operand in self.groups[at].all_operands():
                self._place_live_ins(operand, recurrence.length, initial)
        self._check_order(recurrence)
        inner = {}
        for at in recurrence.groups:
            group = self.groups[at]
            members = len(group) // recurrence.length
            before = -min([place // members for place in initial[at]], default=0)
            inner[at] = self._inner_axes(group, recurrence)
            self._add_array(Array((before + recurrence.length, *inner[at]), self.varies[at]), at)
            self.rows[at] = (members, before)
        number = self.recurrence_of[recurrence.groups[0]]
        statements = [
            s for at in recurrence.groups if initial[at] for s in self._initial_statements(at, initial[at], inner[at])
        ]
        return statements + [
            self._recurrent_statement(at, (recurrence.length, *inner[at]), number) for at in recurrence.groups
        ]

    def _place_live_ins(self, operand: Operand, length: int, initial: dict[int, dict[int, int]]) -> None:
        """Gives the live-in operands of the first iterations the negative places, of which -1 is the last before the
        loop."""
        if not operand.live_in:
            return
        if operand.group not in initial:
            raise NoLoopsError("an operand of a recurrence mixes groups from outside of it")
        members = len(self.groups[operand.group]) // length
        each = len(operand.places) // length
        if len(operand.places) % length:
            raise NoLoopsError("the iterations of a recurrence differ in size")
        for i in sorted(operand.live_in, reverse=True):
            if self.varies[self.grouping.group_of[operand.live_in[i]]] and not self.varies[operand.group]:
                raise NoLoopsError("a recurrence that all samples share begins with values that differ among them")
            if i + each >= len(operand.places):
                raise NoLoopsError("an operand of a recurrence is live-in at every iteration")
            place = int(operand.places[i + each]) - members
            if initial[operand.group].setdefault(place, operand.live_in[i]) != operand.live_in[i] or place >= 0:
                raise NoLoopsError("a recurrence has two initial values for one place")
            operand.places[i] = place

    def _check_order(self, recurrence: Recurrence) -> None:
        """Refuses a recurrence that would read what is not there yet.

        The members of its groups stand in the order of nodes, which need not be that of iterations: each of several
        loops side by side may have been written out as a whole. So either each iteration must read only earlier ones,
        or each member only earlier members.
        """
        order = {at: k for k, at in enumerate(recurrence.groups)}
        by_iteration = by_member = True
        for at in recurrence.groups:
            for operand in self.groups[at].all_operands():
                if operand.group in order:
                    read, size = operand.places, len(self.groups[operand.group])
                    later = int(order[operand.group] >= order[at])
                    iteration = np.arange(len(read)) // max(len(read) // recurrence.length, 1)
                    by_iteration &= bool((read // (size // recurrence.length) + later <= iteration).all())
                    by_member &= len(read) == size == len(self.groups[at])
                    by_member = by_member and bool((read + later <= np.arange(len(read))).all())
        if not (by_iteration or by_member):
            raise NoLoopsError("the iterations of a recurrence and its nodes differ in order")

    def _inner_axes(self, group: Group, recurrence: Recurrence) -> tuple[int, ...]:
        """The axes within one iteration."""
        members = len(group) // recurrence.length
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

    def _initial_statements(self, at: int, nodes: dict[int, int], inner: tuple[int, ...]) -> list[Statement]:
        """The statements that fill the rows in front of the first iteration."""
        members, before = self.rows[at]
        statements = []
        for row in range(-before, 0):
            row_nodes = [nodes.get(row * members + e) for e in range(members)]
            known = [node for node in row_nodes if node is not None]
            if not known:
                continue
            groups = {self.grouping.group_of[node] for node in known}
            if len(groups) > 1:
                raise NoLoopsError("the initial values of a recurrence come from several groups")
            group = groups.pop()
            filled = [known[0] if node is None else node for node in row_nodes]
            places = np.array([node if group == CONSTANT else self.grouping.place_of[node] for node in filled])
            source = self._expression(self._operand(Operand(group, places)), Domain((1, *inner)))
            statement = Statement(self.array_of[at], (1, *inner), identity, [source], [], self.varies[at])
            statement.row = row + before
            statements.append(statement)
        return statements

    def _recurrent_statement(self, at: int, axes: tuple[int, ...], number: int) -> Statement:
        group = self.groups[at]
        assert group.op is not None
        domain = Domain(axes)
        arguments = [self._expression(self._operand(x), domain) for x in group.operands]
        sums = [self._sum(self._steps(run, group), domain) for run in group.runs]
        return Statement(self.array_of[at], axes, group.op, arguments, sums, self.varies[at], self.rows[at][1], number)
