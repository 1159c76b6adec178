"""Loops whose extents and places vary: triangles, lags, windows, gathers, tables of dynamic programming."""

from __future__ import annotations

from .writer import Writer


def triangle(w: Writer) -> None:
    """For each place something of all places before it, with `x[i - j]`."""
    xs, gs = w.numbers(3, 16), w.numbers(3, 16)
    n = min(w.lists[xs], w.lists[gs])
    if not w.may(n * n):
        n = min(n, 5)
    ys = w.name("ys")
    pair = f"{gs}[j] * {xs}[i - j]" if gs != xs else f"(1.0 + 0.1 * j) * {gs}[j] * {xs}[i - j]"  # no two are equal
    inner = w.among([pair, pair, f"{xs}[i] * {gs}[j]", f"{xs}[i - j] - 0.7 * {gs}[j]"])
    if w.chance(0.3):
        inner = w.term([f"{gs}[j]", f"{xs}[i - j]", w.scalar()], 0)
    over, most = w.among([
        ("j in range(i + 1)", 0), ("j in range(i, -1, -1)", 0), ("j in range(max(0, i - 2), i + 1)", 0),
        (f"j in range(min(i + 1, {w.whole(2, 4)}))", 0), ("j in range(0, i + 1, 2)", 0), ("j in range(1, i)", 2),
    ])  # fmt: skip
    if w.chance(0.5):
        text = w.among(["{}", "ops.tanh({})", "0.5 * {}"]).format(w.reduced(inner, f"for {over}"))
        w.keep_list(ys, n - most, f"[{text} for i in range({most}, {n})]")
    else:
        total = w.name("total")
        w.add(f"{ys} = []\nfor i in range({most}, {n}):")
        w.add(f"{total} = {w.among(['0.0', w.scalar()])}\nfor {over}:", 1)
        w.add(w.among([f"{total} += {inner}", f"{total} = {total} + {inner}", f"{total} -= {inner}"]), 2)
        w.add(f"{ys}.append({w.among(['{}', 'ops.tanh({})', 'ops.sin({})']).format(total)})", 1)
        w.keep_list(ys, n - most)
    w.spend(n * n)


def upper(w: Writer) -> None:
    """For each place something of all places from it on, or of all pairs."""
    xs = w.numbers(3, 12)
    n = w.lists[xs]
    inner = w.term([f"{xs}[i]", f"{xs}[j]"], 1)
    if w.chance(0.5):
        ys = w.name("ys")
        text = w.reduced(inner, f"for j in range(i, {n})")
        w.keep_list(ys, n, f"[{text} for i in range({n})]")
    else:
        energy = w.name("energy")
        w.add(f"{energy} = 0.0\nfor i in range({n}):")
        w.add(w.among([f"for j in range(i + 1, {n}):", "for j in range(i):"]), 1)
        w.add(f"{energy} += {inner}", 2)
        w.scalars.append(energy)
    w.spend(n * n)


def lags(w: Writer) -> None:
    """A series in which each number comes of earlier ones of its own and of another series."""
    xs = w.numbers(5, 40)
    n, h = w.lists[xs], w.name("h")
    first, second = sorted([w.whole(1, 3), w.whole(2, 4)])
    names = [f"{h}[t - {first}]", f"{h}[t - {second}]", f"{xs}[t]", f"{xs}[t - {w.whole(1, second)}]", w.scalar()]
    if w.chance(0.5):
        w.add(f"{h} = list({xs}[:{second}])\nfor t in range({second}, {n}):")
        w.add(f"{h}.append({w.bounded(names)})", 1)
    else:
        w.add(f"{h} = []\nfor t in range({n}):")
        late = w.among(["0.0", w.scalar(), f"{xs}[0]"])
        w.add(f"late = {h}[t - {first}] if t >= {first} else {late}", 1)
        w.add(f"later = {h}[t - {second}] if t >= {second} else {w.constant()}", 1)
        w.add(f"{h}.append({w.bounded(['late', 'later', f'{xs}[t]'])})", 1)
    w.keep_list(h, n)
    w.spend(5 * n)


def window(w: Writer) -> None:
    """Moving sums, differences, or a kernel over a series, and every second number."""
    xs = w.numbers(4, 40)
    n, ys, k = w.lists[xs], w.name("ys"), w.whole(2, 3)
    weights = [float(w.constant()) for _ in range(k)]
    kernel = w.reduced(f"c * {xs}[i + j]", f"for j, c in enumerate({weights})")
    text, count = w.among([
        (f"[{kernel} for i in range({n - k + 1})]", n - k + 1),
        (f"[b - a for a, b in zip({xs}, {xs}[{k}:])]", n - k),
        (f"[{w.term(['a', 'b'], 0)} for a, b in zip({xs}[::2], {xs}[1::2])]", n // 2),
        (f"[{w.term([f'{xs}[i]', f'{xs}[i - {k}]'], 1)} for i in range({n})]", n),
        (f"[{w.term([f'{xs}[i]', f'{xs}[{n - 1} - i]', f'{xs}[(i + {k}) % {n}]'], 1)} for i in range({n})]", n),
        (f"[ops.sum({xs}[i:i + {k}]) * {xs}[i] for i in range({n})]", n),
        (f"[{w.reduced('a * a', f'for a in {xs}[max(0, i - {k}):i + 1]')} for i in range({n})]", n),
        (f"[{xs}[2 * i] * {xs}[2 * i + 1] - {xs}[i] for i in range({n // 2})]", n // 2),
    ])  # fmt: skip
    w.keep_list(ys, count, text)
    w.spend(n * (k + 2))


def gather(w: Writer) -> None:
    """Numbers taken by a table of places, some of them several times; sometimes put back to places."""
    xs = w.numbers(2, 30)
    n, count = w.lists[xs], w.whole(3, 14)
    places, ys = w.name("places"), w.name("ys")
    step, start = w.whole(1, 7), w.whole(0, 3)
    formula = w.among([f"({step} * k + {start}) % {n}", f"k * k % {n}", f"k // 2 % {n}", f"(k * (k + 1) // 2) % {n}"])
    table = [w.whole(-n, n - 1) if w.chance(0.1) else w.whole(0, n - 1) for _ in range(count)]
    if w.chance(0.5):
        w.add(f"{places} = {table}")
    else:
        w.add(f"{places} = [{formula} for k in range({count})]")
    if w.chance(0.6):
        text = w.term([f"{xs}[k]", w.scalar()], 1)
        w.keep_list(ys, count, f"[{text} for k in {places}]")
    else:
        length = w.whole(2, 6)
        w.add(f"{ys} = [0.0] * {length}\nfor at, k in enumerate({places}):")
        w.add(
            f"{ys}[{w.among([f'k % {length}', f'at % {length}'])}] += {w.term([f'{xs}[k]', f'{xs}[at % {n}]'], 1)}", 1
        )
        w.add(f"{ys} = [{w.scalar()} + y for y in {ys}]")
        w.keep_list(ys, length)
    w.spend(3 * count)


def take(w: Writer) -> None:
    """Numbers taken by integers among the arguments."""
    if not w.places:
        gather(w)
        return
    places = w.among(list(w.places))
    (xs, count), ys = w.places[places], w.name("ys")
    inner = f"ops.take({xs}, k)"
    w.keep_list(ys, count, f"[{w.term([inner, w.scalar()], 0)} for k in {places}]")
    w.spend(w.lists[xs] * count)


def tree(w: Writer) -> None:
    """Backward through a tree: each row is one shorter than the last."""
    n = w.whole(3, 10) if w.may(120) else 4
    a, b, values = w.scalar(), w.scalar(), w.name("values")
    w.add(f"{values} = [{w.bounded([f'({a} + 0.1 * k)', f'{b} * {w.constant()}'], 0)} + 0.05 * k for k in range({n})]")
    text = w.among(["0.6 * up + 0.38 * down", f"ops.max(0.45 * (up + down), {b} * 0.1)", "up * down * 0.5 + 0.2"])
    if w.chance(0.5):
        w.add(f"for step in range({n} - 1, 0, -1):")
        text = text.replace("up", f"{values}[k + 1]").replace("down", f"{values}[k]")
        w.add(f"{values} = [{text} for k in range(step)]", 1)
    else:
        w.add(f"while len({values}) > 1:")
        w.add(f"{values} = [{text} for down, up in zip({values}, {values}[1:])]", 1)
    w.keep(w.name("price"), f"{values}[0]")
    w.spend(2 * n * n)


def table(w: Writer) -> None:
    """A table filled row by row, from the neighbours above and to the left, as edit distances are."""
    xs, ys = w.numbers(2, 7), w.numbers(2, 7)
    n, m, d = w.lists[xs], w.lists[ys], w.name("d")
    cost = w.among([f"({xs}[i] - 0.8 * {ys}[j]) ** 2", f"ops.abs({xs}[i] - 0.6 * {ys}[j])", f"{xs}[i] * {ys}[j]"])
    cost = f"{cost} + 0.01 * j + 0.003 * i"
    around = [f"{d}[i][j]", f"{d}[i][j + 1]", f"{d}[i + 1][j]"]
    best = w.among(["-ops.logsumexp([-{}, -{}, -{}])", "ops.min(ops.min({}, {}), {})", "0.3 * ({} + {} + {})"])
    w.add(f"{d} = [[0.1 * i + 0.13 * j for j in range({m + 1})] for i in range({n + 1})]")
    w.add(f"for i in range({n}):")
    w.add(f"for j in range({m}):", 1)
    w.add(f"{d}[i + 1][j + 1] = {cost} + {best.format(*around)}", 2)
    w.keep(w.name("distance"), f"{d}[{n}][{m}]")
    if w.chance(0.4):
        w.keep_list(w.name("ys"), m, f"{d}[{n}][1:]")
    w.spend(7 * n * m)


def substitution(w: Writer) -> None:
    """A triangular system of equations is solved, in place or into a new list."""
    bs, ls = w.numbers(3, 9), w.numbers(3, 40)
    n, m, x = w.lists[bs], w.lists[ls], w.name("x")
    entry = w.among([f"{ls}[(i * (i + 1) // 2 + j) % {m}]", f"{ls}[(i + j) % {m}]", f"{ls}[(i - j) % {m}]"])
    diagonal = f"(2.5 + {ls}[i % {m}] ** 2)"
    if w.chance(0.5):
        w.add(f"{x} = []\nfor i in range({n}):")
        w.add(f"rest = {bs}[i] - ops.sum([0.3 * {entry} * {x}[j] for j in range(i)])", 1)
        w.add(f"{x}.append(rest / {diagonal})", 1)
    else:
        w.add(f"{x} = list({bs})\nfor i in range({n - 1}, -1, -1):")
        w.add(f"for j in range(i + 1, {n}):", 1)
        w.add(f"{x}[i] -= 0.3 * {entry} * {x}[j]", 2)
        w.add(f"{x}[i] = {x}[i] / {diagonal}", 1)
    w.keep_list(x, n)
    w.spend(3 * n * n)


def attention(w: Writer) -> None:
    """Each place looks at those before it: softmax weights of products."""
    qs, ks = w.numbers(3, 8), w.numbers(3, 8)
    n, ys = min(w.lists[qs], w.lists[ks]), w.name("ys")
    w.add(f"{ys} = []\nfor i in range({n}):")
    seen = w.among(["i + 1", str(n), "max(1, i)"])
    w.add(f"scores = [{w.term([f'{qs}[i]', f'{ks}[j]'], 0)} for j in range({seen})]", 1)
    if w.chance(0.5):
        w.add("peak = ops.logsumexp(scores)\nshares = [ops.exp(s - peak) for s in scores]", 1)
    else:
        w.add("parts = [ops.exp(ops.tanh(s)) for s in scores]\nwhole = sum(parts)", 1)
        w.add("shares = [part / whole for part in parts]", 1)
    w.add(f"{ys}.append(sum([s * {ks}[j] for j, s in enumerate(shares)]))", 1)
    w.keep_list(ys, n)
    w.spend(5 * n * n)


STORIES = [triangle, triangle, triangle, upper, lags, lags, window, gather, gather, take, tree, table, substitution]
STORIES += [attention]
