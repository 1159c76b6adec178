"""Recurrences, branches, nested functions, reductions, and nets."""

from __future__ import annotations

from .writer import Writer


def recurrence(w: Writer) -> None:
    """Two or three numbers that each step makes anew of themselves and of a series."""
    xs = w.numbers(3, 40)
    names = [w.name("s") for _ in range(w.whole(1, 3))]
    w.add(f"{', '.join(names)} = {', '.join([w.scalar() for _ in names])}")
    w.add(w.among([f"for x in {xs}:", f"for t, x in enumerate({xs}):", f"for x in reversed({xs}):"]))
    if w.chance(0.4):
        w.add(f"gate = ops.sigmoid({w.term(['x', *names], 1)})", 1)
        parts = [f"gate * {one} + (1.0 - gate) * {w.bounded(['x', *names], 0)}" for one in names]
    else:
        parts = [w.bounded(["x", *names, w.scalar()], 1) for _ in names]
    if w.chance(0.5):
        w.add(f"{', '.join(names)} = {', '.join(parts)}", 1)
    else:
        for name, part in zip(names, parts, strict=True):
            w.add(f"{name} = {w.among([part, part, f'{name} + 0.1 * {part}'])}", 1)
    w.scalars += names
    w.spend(5 * len(names) * w.lists[xs])


def long_run(w: Writer) -> None:
    """Many steps of a simulation that needs no series."""
    steps = w.among([20, 50, 100, 200, 400]) if w.room > 2500 else w.whole(4, 20)
    a, b, c = w.scalar(), w.scalar(), w.scalar()
    q, p, dt = w.name("q"), w.name("p"), w.among(["0.01", "0.05", "0.1"])
    force = w.among([f"-ops.sin({q})", f"-{q} + 0.1 * {c}", f"-{q} * ops.exp(-{q} * {q})", f"{c} * ops.cos({q})"])
    w.add(f"{q}, {p} = {a}, {b}")
    if w.chance(0.5):
        w.add(f"for t in range({steps}):")
    else:
        w.add(f"t = 0\nwhile t < {steps}:")
        w.add("t += 1", 1)
    if w.chance(0.5):
        w.add(f"{p} = {p} + {dt} * ({force})\n{q} = {q} + {dt} * {p}", 1)
    else:
        w.add(f"half = {p} + {dt} * 0.5 * ({force})\n{q}, {p} = {q} + {dt} * half, 0.999 * half", 1)
    if w.chance(0.3):
        w.add(f"{p} = ops.select({q} > {w.constant()}, -0.9 * {p}, {p})", 1)
    w.scalars += [q, p]
    w.spend(7 * steps)


def vector_state(w: Writer) -> None:
    """A list of numbers that each step multiplies by a matrix, or mixes with its neighbours."""
    xs, h, size = w.numbers(4, 36), w.name("h"), w.whole(2, 4)
    n, steps = w.lists[xs], w.whole(2, 8)
    w.add(f"{h} = [{w.scalar()}] * {size}\nfor t in range({steps}):")
    if w.matrices and w.chance(0.6):
        rows, (count, width) = next(iter(w.matrices.items()))
        entry = f"{rows}[i % {count}][j % {width}]"
    else:
        entry = f"{xs}[(i * {size} + j) % {n}]"
    extent = w.among([str(size), "i + 1", f"i, {size}"])
    inner = f"ops.sum([{entry} * {h}[j] for j in range({extent})])"
    if w.chance(0.3):
        inner = f"ops.weighted_sum([{entry} for j in range({size})], {h}, {xs}[t % {n}])"
    w.add(f"{h} = [ops.{w.among(['tanh', 'sin', 'atan'])}({inner} + {xs}[t % {n}]) for i in range({size})]", 1)
    w.keep_list(h, size)
    w.spend(3 * size * size * steps)


def branch(w: Writer) -> None:
    """An `if` on numbers, sometimes with an `elif`, sometimes in a loop."""
    if w.asking < 1:
        chosen(w)
        return
    v = w.name()
    names = list(w.scalars)
    if w.asking > 3 and w.chance(0.5):
        xs = w.numbers(2, w.asking)
        w.add(f"{v} = {w.scalar()}\nfor x in {xs}:")
        w.add(f"if {w.question(['x', v])}:", 1)
        w.add(f"{v} = {w.bounded([v, 'x', *names])}", 2)
        if w.chance(0.5):
            w.add("else:", 1)
            w.add(w.among(["continue", f"{v} = {v} * 0.9", "break"]), 2)
        w.asking -= w.lists[xs]
    else:
        w.add(f"if {w.question(names)}:")
        w.add(f"{v} = {w.term(names)}", 1)
        if w.asking > 1 and w.chance(0.4):
            w.add(f"elif {w.question(names)}:")
            w.add(f"{v} = {w.term(names)}", 1)
            w.asking -= 1
        w.add("else:")
        w.add(f"{v} = {w.term(names)}", 1)
        w.asking -= 1
    w.scalars.append(v)
    w.spend(8)


def search(w: Writer) -> None:
    """A `while` on numbers, with an end: Newton's iteration, halving."""
    if w.asking < 4:
        chosen(w)
        return
    v, a, k = w.name(), w.scalar(), w.name("k")
    w.asking -= 4
    text = w.among([
        f"{v} = 1.0 + 0.3 * ops.abs({a})\n{k} = 0\n"
        f"while ops.abs({v} * {v} - 1.5 - {a} * {a}) > 1e-2 and {k} < 4:\n"
        f"    {v} = 0.5 * ({v} + (1.5 + {a} * {a}) / {v})\n    {k} += 1",
        f"{v}, {k} = {a}, 0\nwhile abs({v}) > 0.3 and {k} < 4:\n    {v} *= 0.45\n    {k} += 1",
        f"{v} = {a}\nfor {k} in range(3):\n    if {v} > 1.0:\n        break\n    {v} = {v} + 0.5",
    ])  # fmt: skip
    w.add(text)
    w.scalars.append(v)
    w.spend(20)


def chosen(w: Writer) -> None:
    """Both sides calculated, in a loop, with the last one kept."""
    xs, v = w.numbers(2, 24), w.name()
    w.add(f"{v} = {w.scalar()}\nfor x in {xs}:")
    w.add(f"{v} = {w.condition('x', v, w.bounded(['x', v]), w.among([v, f'0.5 * {v}', 'x']))}", 1)
    w.scalars.append(v)
    w.spend(6 * w.lists[xs])


def nested(w: Writer) -> None:
    """Functions inside of the function: closures, recursion, state that is not local."""
    g, v, xs = w.name("g"), w.name(), w.numbers(2, 12)
    kind = w.whole(0, 4)
    if kind == 0:
        w.add(f"def {g}(u, v={w.constant()}):")
        w.add(f"return {w.term(['u', 'v', *w.scalars[:2]], 2)}", 1)
        w.keep(v, f"{g}({w.scalar()}) + {g}({w.scalar()}, {w.scalar()})")
        w.keep_list(w.name("ys"), w.lists[xs], f"[{g}(x, v={w.scalar()}) for x in {xs}]")
    elif kind == 1:
        w.add(f"def {g}(k, u):")
        w.add(f"if k == 0:\n    return u\nreturn {w.bounded([f'{g}(k - 1, u)', f'{xs}[k % {w.lists[xs]}]'])}", 1)
        w.keep(v, f"{g}({w.whole(2, 4)}, {w.scalar()})")
    elif kind == 2:
        w.add(f"{v} = {w.scalar()}\ndef {g}(x):")
        w.add(f"nonlocal {v}\n{v} = {w.bounded(['x', v])}\nreturn {v} * x", 1)
        # a `nonlocal` needs a function around, and `f` is one
        w.keep_list(w.name("ys"), w.lists[xs], f"[{g}(x) for x in {xs}]")
        w.scalars.append(v)
    elif kind == 3:
        w.add(f"def {g}(xs):")
        w.add(f"total = {w.scalar()}\nfor x in xs:\n    total = {w.bounded(['total', 'x'])}\n    yield total", 1)
        w.keep_list(w.name("ys"), w.lists[xs], f"list({g}({xs}))")
    else:
        steps = [f"lambda u: {w.bounded(['u', w.scalar()])}" for _ in range(w.whole(2, 3))]
        w.add(f"{v} = {w.scalar()}\nfor {g} in [{', '.join(steps)}] * {w.whole(1, 3)}:")
        w.add(f"{v} = {g}({v})", 1)
        w.scalars.append(v)
    w.spend(10 * w.lists[xs])


def reduction(w: Writer) -> None:
    """A list becomes a number."""
    xs, ys, v = w.numbers(2, 40), w.numbers(2, 40), w.name()
    n, mean = w.lists[xs], w.name("mean")
    kind = w.whole(0, 7)
    if kind == 0:
        w.add(f"{v} = 1.0\nfor x in {xs}:")
        w.add(f"{v} *= 1.0 + 0.2 * {w.bounded(['x', w.scalar()], 0)}", 1)
        w.scalars.append(v)
    elif kind == 1:
        w.add(f"{mean} = sum({xs}) / {n}")
        w.keep(v, f"ops.sqrt(0.1 + sum([(x - {mean}) ** 2 for x in {xs}]) / {n})")
        w.keep_list(w.name("ys"), n, f"[(x - {mean}) / {v} for x in {xs}]")
    elif kind == 2:
        count = min(n, w.lists[ys])
        w.keep(v, f"ops.weighted_sum({xs}[:{count}], {ys}[-{count}:], {w.scalar()})")
    elif kind == 3:
        w.keep(v, f"functools.reduce(lambda a, b: {w.bounded(['a', 'b'])}, {xs})")
    elif kind == 4:
        w.keep_list(w.name("ys"), n, f"list(itertools.accumulate({xs}, lambda a, b: {w.bounded(['a', 'b'])}))")
    elif kind == 5:
        w.keep(
            v, f"{w.among(['ops.logsumexp', 'ops.largest', 'ops.sum'])}([{w.term(['x', w.scalar()])} for x in {xs}])"
        )
    elif kind == 6 and w.asking > 2:
        part = w.numbers(2, 3)
        w.asking -= 2
        w.keep(v, f"{w.among(['max', 'min'])}({part}) * 0.7 + {w.scalar()}")
    else:
        w.keep(v, f"sum([{w.term(['x', 'y'])} for x, y in zip({xs}, {ys})], {w.scalar()})")
    w.spend(5 * n)


def layer(w: Writer) -> None:
    """A row of neurons."""
    if not w.matrices:
        vector_state(w)
        return
    rows, xs = w.among(list(w.matrices)), w.numbers(1, 40)
    count, width = w.matrices[rows]
    ys = w.name("ys")
    taken = f"{xs}[(j * 2 + 1) % {w.lists[xs]}]"
    inner = w.among(
        [f"sum([row[j] * {taken} for j in range({width})])", f"ops.sum([a * {taken} for j, a in enumerate(row)])"]
    )
    if w.lists[xs] == width:
        inner = f"ops.weighted_sum(row, {xs}, {w.scalar()})"
    w.keep_list(ys, count, f"[{w.among(['ops.tanh({})', 'ops.relu({})', '{}']).format(inner)} for row in {rows}]")
    if w.chance(0.3):
        w.keep(w.name("trace"), f"sum([{rows}[k][k % {width}] * {rows}[k][-1] for k in range({count})])")
    w.spend(3 * count * width)


def model(w: Writer) -> None:
    """The Module among the arguments, or around."""
    if not w.width:
        layer(w)
        return
    width, xs = w.width, w.numbers(1, 40)
    v, n = w.name(), w.lists[xs]
    kind = w.whole(0, 2)
    if kind == 0:
        w.keep(v, f"model([{xs}[(k * 3) % {n}] for k in range({width})])")
    elif kind == 1:
        w.add(f"{v} = 0.0\nfor x in {xs}[:6]:")
        w.add(f"{v} = {v} * 0.5 + model([x] * {width})", 1)
        w.scalars.append(v)
    else:
        w.add(f"h = [{w.scalar()}] * {width}\nfor x in {xs}[:5]:")
        w.add("h = model.step(h, x)", 1)
        w.keep(v, f"ops.{w.among(['sum', 'logsumexp'])}(h)")
    w.spend(width * width * 12)


STORIES = [recurrence, recurrence, recurrence, long_run, vector_state, branch, branch, search, chosen, nested, nested]
STORIES += [reduction, reduction, reduction, layer, model]
