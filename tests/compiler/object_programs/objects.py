"""Objects with state: their attributes change while the program runs, in methods, in other objects, in lists."""

from __future__ import annotations

from .writer import Writer


def cell(w: Writer) -> None:
    """An object that is told one number after another, and may keep some of them."""
    kind, xs, one = w.name("Cell"), w.numbers(3, 24), w.name("cell")
    keeps = w.chance(0.5)
    gates = w.term(["x", "self.level"], 1), w.bounded(["x", "self.level", "self.trend", "gain"], 1)
    w.above(f"""
class {kind}:
    def __init__(self, level, trend=0.1):
        self.level, self.trend = level, trend
        self.seen = []

    def step(self, x, gain):
        self.trend = 0.8 * self.trend + 0.2 * ({gates[0]})
        self.level = {gates[1]}
        {"self.seen.append(self.level)" if keeps else "self.seen = [self.trend]"}
        return self.level

    def ahead(self, n):
        return self.level + n * self.trend
""")
    ys = w.name("ys")
    w.add(f"{one} = {kind}({w.scalar()}{w.among(['', ', ' + w.scalar(), ', trend=' + w.constant()])})")
    if w.chance(0.5):
        w.keep_list(ys, w.lists[xs], f"[{one}.step(x, {w.scalar()}) for x in {xs}]")
    else:
        w.add(f"for x in {xs}:")
        w.add(f"{one}.step(x, {w.among([w.scalar(), f'{one}.trend'])})", 1)
        w.keep_list(ys, w.lists[xs] if keeps else 1, f"{one}.seen")
    w.keep(w.name("v"), f"{one}.ahead({w.whole(1, 3)})")
    w.spend(9 * w.lists[xs])


def particles(w: Writer) -> None:
    """Bodies that pull each other: a dataclass, moved by time steps."""
    kind, bodies = w.name("Body"), w.name("bodies")
    n, steps = w.whole(2, 4), w.whole(1, 6)
    if not w.may(20 * n * n * steps):
        n, steps = 2, 2
    xs, vs = w.numbers(2, 40), w.numbers(2, 40)
    force = w.among(["gap / (1.0 + gap * gap)", "ops.tanh(gap)", "0.2 * gap", "gap * ops.exp(-gap * gap)"])
    w.above(f"""
@dataclass
class {kind}:
    at: object
    speed: object = 0.0
    mass: float = 1.0

    def push(self, other, dt):
        gap = other.at - self.at
        self.speed += dt * other.mass * {force}

    def move(self, dt):
        self.at += dt * self.speed

    @property
    def energy(self):
        return 0.5 * self.mass * self.speed ** 2
""")
    a, b = w.lists[xs], w.lists[vs]
    w.add(f"{bodies} = [{kind}({xs}[k % {a}], {vs}[k % {b}] * 0.5, 1.0 + 0.5 * k) for k in range({n})]")
    w.add(f"for t in range({steps}):")
    w.add(f"for i, one in enumerate({bodies}):", 1)
    pairs = w.among([f"{bodies}[:i]", f"{bodies}[i + 1:]", f"{bodies}"])
    w.add(f"for other in {pairs}:", 2)
    if pairs == bodies:
        w.add("if other is not one:", 3)
        w.add("one.push(other, 0.1)", 4)
    else:
        w.add("one.push(other, 0.1)", 3)
        if w.chance(0.5):
            w.add("other.push(one, 0.1)", 3)
    w.add(f"for one in {bodies}:", 1)
    w.add("one.move(0.1)", 2)
    w.keep(w.name("energy"), f"sum([one.energy for one in {bodies}])")
    w.keep_list(w.name("ats"), n, f"[one.at for one in {bodies}]")
    w.spend(8 * n * n * steps)


def replaced(w: Writer) -> None:
    """A frozen dataclass, of which each step makes a new one."""
    kind, state, xs = w.name("State"), w.name("state"), w.numbers(3, 30)
    w.above(f"""
@dataclass(frozen=True)
class {kind}:
    a: object
    b: object
    steps: int = 0

    def after(self, x):
        a = {w.bounded(["self.a", "self.b", "x"])}
        b = self.b + 0.1 * ({w.bounded(["a", "x", "self.b"])})
        return replace(self, a=a, b={w.among(["b", "0.9 * b", "ops.sin(b)"])}, steps=self.steps + 1)
""")
    w.add(f"{state} = {kind}({w.scalar()}, {w.scalar()})\nfor x in {xs}:")
    w.add(f"{state} = {state}.after(x)", 1)
    w.keep(w.name("v"), f"{state}.a * {state}.b + {w.constant()} * {state}.steps")
    w.spend(9 * w.lists[xs])


def account(w: Writer) -> None:
    """Several objects of two classes, which call each other's methods; one inherits."""
    kind, child, xs = w.name("Account"), w.name("Saver"), w.numbers(3, 16)
    fee = w.among(["0.01 * amount * amount", "ops.softplus(amount) * 0.1", "ops.abs(amount) * 0.02"])
    w.above(f"""
class {kind}:
    count = 0

    def __init__(self, balance):
        self.balance, self.fees = balance, []

    def pay(self, amount, to):
        fee = self.fee(amount)
        self.balance -= amount + fee
        to.balance += amount
        self.fees.append(fee)

    def fee(self, amount):
        return {fee}


class {child}({kind}):
    def fee(self, amount):
        return 0.5 * super().fee({w.among(["amount", "0.5 * amount", "amount - self.balance"])}) + 0.01

    def grow(self, rate):
        self.balance *= 1.0 + 0.1 * ops.tanh(rate)
""")
    a, b, scalar = w.name("a"), w.name("b"), w.scalar()
    w.add(f"{a}, {b} = {kind}({scalar}), {child}({w.scalar()})\nfor k, x in enumerate({xs}):")
    w.add(f"payer, payee = ({a}, {b}) if k % {w.whole(2, 3)} else ({b}, {a})", 1)
    w.add(f"payer.pay({w.among(['x', '0.3 * x', 'ops.tanh(x)', 'x * payee.balance * 0.1'])}, payee)", 1)
    w.add(f"{b}.grow({w.among(['x', scalar, f'{a}.balance'])})", 1)
    w.keep(w.name("v"), f"{a}.balance - 0.5 * {b}.balance + ops.sum({a}.fees + {b}.fees)")
    w.spend(14 * w.lists[xs])


def nodes(w: Writer) -> None:
    """A linked structure: each node has its own state, a parent, and children."""
    kind, root, xs = w.name("Node"), w.name("root"), w.numbers(3, 12)
    join = w.among(["ops.sum(parts)", "ops.logsumexp(parts)", "0.5 * sum(parts)", "ops.largest(parts)"])
    w.above(f"""
class {kind}:
    def __init__(self, weight, parent=None):
        self.weight, self.parent, self.children = weight, parent, []
        if parent is not None:
            parent.children.append(self)

    def up(self):
        parts = [child.up() for child in self.children] + [0.6 * self.weight]
        self.sum = {join}
        return {w.bounded(["self.sum", "self.weight"], 0)}

    def down(self, message):
        self.weight = {w.bounded(["self.weight", "message", "self.sum"], 1)}
        for child in self.children:
            child.down(self.weight)
""")
    all_nodes, n = w.name("nodes"), w.lists[xs]
    w.add(f"{root} = {kind}({xs}[0])\n{all_nodes} = [{root}]\nfor k in range(1, {n}):")
    parent = w.among(["(k - 1) // 2", "k - 1", "0", "k // 3"])
    w.add(f"{all_nodes}.append({kind}({xs}[k], {all_nodes}[{parent}]))", 1)
    w.keep(w.name("top"), f"{root}.up()")
    if w.chance(0.7):
        w.add(f"{root}.down({w.scalar()})")
        w.keep_list(w.name("ys"), n, f"[node.weight for node in {all_nodes}]")
    w.spend(9 * n)


def vectors(w: Writer) -> None:
    """A class with operators of its own."""
    kind, xs = w.name("Vector"), w.numbers(4, 24)
    w.above(f"""
class {kind}:
    def __init__(self, *parts):
        self.parts = list(parts)

    def __add__(self, other):
        return {kind}(*[a + b for a, b in zip(self.parts, other.parts)])

    def __mul__(self, factor):
        return {kind}(*[a * factor for a in self.parts])

    def __matmul__(self, other):
        return {w.among(["sum", "ops.sum"])}([a * b for a, b in zip(self.parts, other.parts)])

    def __getitem__(self, k):
        return self.parts[k]

    def __iadd__(self, other):
        for k, part in enumerate(other.parts):
            self.parts[k] += part
        return self

    def turned(self):
        return {kind}(*self.parts[1:], self.parts[0])
""")
    size, n = w.whole(2, 3), w.lists[xs]
    total, v = w.name("total"), w.name("v")
    w.add(f"{total} = {kind}(*[{w.scalar()}] * {size})\nfor k in range({n - size + 1}):")
    w.add(f"one = {kind}(*{xs}[k:k + {size}])", 1)
    w.add(
        w.among([
            f"{total} += one.turned() * {w.scalar()}", f"{total} = {total}.turned() * 0.9 + one",
            f"{total} = {total} * ops.tanh({total} @ one) + one * 0.3",
        ]), 1,
    )  # fmt: skip
    w.keep(v, f"{total} @ {total}.turned() * 0.1 + {total}[0]")
    w.spend(8 * size * n)


def counter(w: Writer) -> None:
    """An object that can be called, a generator, and a context: state in places of Python's own."""
    kind, smooth, xs = w.name("Average"), w.name("smooth"), w.numbers(3, 24)
    n = w.lists[xs]
    w.above(f"""
class {kind}:
    def __init__(self, rate):
        self.rate, self.mean, self.n = rate, None, 0

    def __call__(self, x):
        self.mean = x if self.mean is None else self.mean + self.rate * (x - self.mean)
        self.n += 1
        return self.mean

    def __iter__(self):
        for k in range(self.n):
            yield self.mean * self.rate ** k

    def __enter__(self):
        self.before = self.mean
        return self

    def __exit__(self, *error):
        self.mean = self.before + 0.1 * self.mean
""")
    rate = w.among(["0.3", f"ops.sigmoid({w.scalar()})", f"0.5 * ops.sigmoid({w.scalar()})"])
    ys = w.name("ys")
    w.add(f"{smooth} = {kind}({rate})\n{ys} = [{smooth}(x) for x in {xs}]\n")
    w.lines.pop()
    if w.chance(0.4):
        w.add(f"with {smooth}:")
        w.add(f"{ys}.append({smooth}({w.scalar()}))", 1)
        n += 1
    w.keep_list(ys, n)
    w.keep(w.name("v"), w.among([f"sum({smooth})", f"{smooth}.mean * {smooth}.rate", f"ops.sum(list({smooth})[:3])"]))
    w.spend(5 * n)


STORIES = [cell, cell, particles, replaced, account, nodes, vectors, counter]
