"""Lists that a program changes: stacks, queues, swaps, slices, sums in place, grids, buffers."""

from __future__ import annotations

from .writer import Writer


def stack(w: Writer) -> None:
    """Numbers put on a stack and taken off again."""
    xs, stack = w.numbers(3, 20), w.name("stack")
    w.add(f"{stack} = [{w.scalar()}]\nfor k, x in enumerate({xs}):")
    w.add(f"{stack}.append({w.term(['x', f'{stack}[-1]'], 1)})", 1)
    every = w.whole(2, 4)
    w.add(f"if k % {every} == {w.whole(0, every - 1)}:", 1)
    w.add(f"top = {stack}.pop()\n{stack}[-1] = {w.bounded(['top', f'{stack}[-1]'])}", 2)
    w.keep(w.name("top"), f"{stack}[-1] + {stack}[0]")
    w.keep(w.name("sum"), f"{w.among(['sum', 'ops.sum'])}({stack}) * 0.3")
    w.spend(4 * w.lists[xs])


def queue(w: Writer) -> None:
    """A queue of a fixed length, as a list or a deque."""
    xs, queue, n = w.numbers(3, 20), w.name("queue"), w.whole(2, 4)
    ys = w.name("ys")
    deque, first = w.chance(0.4), f"[0.1 + 0.2 * k for k in range({n})]"
    w.add(f"{queue} = {f'deque({first}, maxlen={n})' if deque else first}\n{ys} = []\nfor x in {xs}:")
    w.add(f"{queue}.append({w.bounded(['x', f'{queue}[0]', f'{queue}[-1]'])})", 1)
    if not deque:
        w.add(w.among([f"{queue}.pop(0)", f"del {queue}[0]", f"{queue} = {queue}[1:]"]), 1)
    w.add(f"{ys}.append({w.reduced('q', f'for q in {queue}')})", 1)
    w.keep_list(ys, w.lists[xs])
    w.spend((3 + n) * w.lists[xs])


def swaps(w: Writer) -> None:
    """Numbers change places: reversed, rotated, swapped, inserted, cut out, put back."""
    xs, ys = w.numbers(3, 16), w.name("ys")
    n = w.lists[xs]
    w.add(f"{ys} = list({xs})")
    for _ in range(w.whole(1, 4)):
        i, j, k = w.whole(0, n - 1), w.whole(0, n - 1), w.whole(1, n - 1)
        w.add(
            w.among(
                [
                    f"{ys}[{i}], {ys}[{j}] = {ys}[{j}], {ys}[{i}]",
                    f"{ys}.reverse()",
                    f"{ys} = {ys}[{k}:] + {ys}[:{k}]",
                    f"{ys}.insert({i}, {ys}.pop({j}))",
                    f"{ys}[{i}] = {w.term([f'{ys}[{i}]', f'{ys}[{j}]', w.scalar()])}",
                    f"{ys}[:{k}] = {ys}[:{k}][::-1]",
                    f"{ys}[::2] = [y * {w.constant()} for y in {ys}[::2]]",
                    f"{ys} = list(reversed({ys}))",
                    f"{ys} = [*{ys}[1:], {ys}[0]]",
                    f"del {ys}[{i}]\n{ys}.append({w.scalar()} * {w.constant()})",
                    f"{ys}.extend([{ys}[0] * {ys}[-1]])\n{ys}.pop({i})",
                    f"for k in range(0, {n - 1}, 2):\n    {ys}[k], {ys}[k + 1] = {ys}[k + 1], {ys}[k]",
                    f"{ys} += [{ys}.pop(0)]",
                ]
            )
        )
    text = w.term(["y", f"{ys}[0]", w.scalar()], 1)
    w.keep_list(w.name("zs"), n, f"[{text} for y in {ys}]")
    w.lists[ys] = n
    w.spend(4 * n)


def in_place(w: Writer) -> None:
    """Sums, differences and sweeps over a list, in place."""
    xs, ys = w.numbers(3, 24), w.name("ys")
    n = w.lists[xs]
    w.add(f"{ys} = {w.among([f'list({xs})', f'[*{xs}]', f'[x for x in {xs}]', xs])}")
    step = w.among(
        [
            f"for i in range(1, {n}):\n    {ys}[i] += {ys}[i - 1] * 0.5",
            f"for i in range({n - 2}, -1, -1):\n    {ys}[i] = {w.bounded([f'{ys}[i]', f'{ys}[i + 1]'])}",
            f"for i in range({n}):\n    {ys}[i] *= {w.bounded([f'{ys}[i - 1]', w.scalar()])}",
            f"for i in range(1, {n - 1}):\n    {ys}[i] = {w.bounded([f'{ys}[i - 1]', f'{ys}[i]', f'{ys}[i + 1]'])}",
            f"for i, y in enumerate({ys}):\n    {ys}[i] = {w.term(['y', f'{ys}[{n - 1} - i]'])}",
            f"for i in range({n // 2}):\n    {ys}[i], {ys}[{n - 1} - i] = {ys}[i] + {ys}[{n - 1} - i], {ys}[i] * 0.5",
            f"for i in range({n}):\n    {ys}[(3 * i) % {n}] -= 0.2 * {ys}[i]",
        ]
    )
    if w.chance(0.5):
        times = w.whole(2, 4)
        w.add(f"for sweep in range({times}):")
        w.add(step, 1)
        w.spend(3 * n * times)
    else:
        w.add(step)
        w.spend(4 * n)
    if w.chance(0.5):  # what stays, and a place that is written at the end
        w.add(f"{ys}[{w.whole(0, n - 1)}] = {w.scalar()}")
    w.keep_list(ys, n)


def grid(w: Writer) -> None:
    """Rows of numbers, some changed in place, some made anew."""
    xs, cells = w.numbers(4, 40), w.name("cells")
    n, m, count = w.whole(2, 4), w.whole(2, 4), w.lists[xs]
    w.add(f"{cells} = [[{xs}[({m} * r + c) % {count}] + 0.1 * r for c in range({m})] for r in range({n})]")
    w.add(f"for t in range({w.whole(1, 3)}):")
    around = [f"{cells}[r][c]", f"{cells}[r - 1][c]", f"{cells}[r][(c + 1) % {m}]", f"{cells}[r][c - 1]"]
    if w.chance(0.5):
        w.add(f"for r in range({n}):", 1)
        w.add(f"for c in range({w.among([str(m), f'min(r + 1, {m})'])}):", 2)
        w.add(f"{cells}[r][c] = {w.bounded(around)}", 3)
    else:
        w.add(f"{cells} = [[{w.bounded(around)} for c in range({m})] for r in range({n})]", 1)
    w.add(
        w.among(
            [
                f"{cells} = [list(column) for column in zip(*{cells})]",
                f"{cells}.reverse()",
                f"{cells}[0] = {cells}[-1]",
                f"{cells}[{w.whole(0, n - 1)}][{w.whole(0, m - 1)}] = {w.scalar()}",
            ]
        )
    )
    row = w.among(["sum([c * c for c in row])", "ops.sum(row)", "ops.logsumexp(row)", "row[0] * row[-1]"])
    w.keep(w.name("norm"), f"ops.sum([{row} for row in {cells}])")
    w.spend(10 * n * m)


def dictionary(w: Writer) -> None:
    """Numbers under keys, updated as they come."""
    xs, found, keys = w.numbers(3, 20), w.name("found"), w.whole(2, 4)
    w.add(f"{found} = {{}}\nfor k, x in enumerate({xs}):")
    key = w.among([f"k % {keys}", f"'abcd'[k % {keys}]", f"(k % {keys}, k % 2)"])
    again = w.bounded(["x", f"{found}[key]"])
    w.add(f"key = {key}", 1)
    w.add(
        w.among(
            [
                f"{found}[key] = {found}.get(key, 0.0) + {w.term(['x', w.scalar()])}",
                f"if key in {found}:\n    {found}[key] = {again}\nelse:\n    {found}[key] = x",
                f"{found}.setdefault(key, []).append(x)",
            ]
        ),
        1,
    )
    if "setdefault" in w.lines[-1]:
        w.add(f"{found} = {{key: ops.logsumexp(group) for key, group in {found}.items()}}")
    w.keep(w.name("sum"), f"sum([{w.term(['x', w.scalar()], 0)} for x in {found}.values()])")
    w.spend(6 * w.lists[xs])


def asked_order(w: Writer) -> None:
    """What Python orders by asking: sorted lists, the largest, one pass of swaps."""
    if w.asking < 3:
        swaps(w)
        return
    xs, ys = w.numbers(3, 3), w.name("ys")
    w.asking -= 3
    one, two = f"{ys}[i]", f"{ys}[i + 1]"
    w.add(f"{ys} = list({xs})")
    w.add(
        w.among(
            [
                f"{ys}.sort()",
                f"{ys} = sorted({ys}, reverse=True)",
                f"{ys} = [max({ys}), min({ys}), {ys}[0]]",
                f"for i in range(2):\n    if {one} > {two}:\n        {one}, {two} = {two}, {one}",
            ]
        )
    )
    w.keep(w.name("v"), f"{ys}[0] * 0.5 - {ys}[1] + 2.0 * {ys}[2]")
    w.spend(6)


STORIES = [stack, queue, swaps, swaps, in_place, in_place, in_place, grid, dictionary, asked_order]
