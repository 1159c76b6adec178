"""What the functions share: polynomials, powers of two, and sums and products without rounding errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from llvmlite import ir

from chainrule.compiler.lowering.arithmetic import Arithmetic

MANTISSA = {64: 52, 32: 23}
"""The number of bits of a float after its leading one."""

BIAS = {64: 1023, 32: 127}
"""The number that is added to a float's exponent when it is stored."""


Pair = tuple[ir.Value, ir.Value]
"""A number as a sum of a large and a small one, which together have twice as many digits."""


def polynomial(e: Arithmetic, x: ir.Value, coefficients: Sequence[float]) -> ir.Value:
    """c₀ + c₁x + c₂x² + …, by Horner's rule."""
    result = e.constant(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = e.fma(result, x, e.constant(c))
    return result


# ---- bits ----------------------------------------------------------------------------------------------------------


def bits(e: Arithmetic, x: ir.Value) -> ir.Value:
    """The bits of a number, as an integer."""
    return e.builder.bitcast(x, e.integer)


def number(e: Arithmetic, n: ir.Value) -> ir.Value:
    """The number that has these bits."""
    return e.builder.bitcast(n, e.type)


def rounder(e: Arithmetic, places: int = 0) -> float:
    """A number so large that adding it leaves `places` binary digits behind the point; they end in its last bits."""
    return 1.5 * 2.0 ** (MANTISSA[e.bits] - places)


def at_most(e: Arithmetic, x: ir.Value, bound: float) -> ir.Value:
    """x, or the bound if that is smaller; a nan stays."""
    limit = e.constant(bound)
    return e.where(e.compare("<", limit, x), limit, x)


def at_least(e: Arithmetic, x: ir.Value, bound: float) -> ir.Value:
    """x, or the bound if that is larger; a nan stays."""
    limit = e.constant(bound)
    return e.where(e.compare(">", limit, x), limit, x)


def power_of_two(e: Arithmetic, n: ir.Value) -> ir.Value:
    """2ⁿ of the integer in the last bits of n, for exponents of normal numbers."""
    exponent = e.builder.add(n, e.whole(BIAS[e.bits]))
    return number(e, e.builder.shl(exponent, e.whole(MANTISSA[e.bits])))


def scale(e: Arithmetic, y: ir.Value, n: ir.Value) -> ir.Value:
    """y · 2ⁿ of the integer in the last bits of n, right up to the last denormal; n is some -1080 … 1030, y about 1."""
    half = e.builder.lshr(n, e.whole(1))
    rest = e.builder.sub(n, half)
    return e.mul(e.mul(y, power_of_two(e, half)), power_of_two(e, rest))


# ---- without rounding errors ---------------------------------------------------------------------------------------


def two_sum(e: Arithmetic, a: ir.Value, b: ir.Value) -> Pair:
    """a + b as a rounded sum and its error (Knuth 1969)."""
    total = e.add(a, b)
    other = e.sub(total, a)
    return total, e.add(e.sub(a, e.sub(total, other)), e.sub(b, other))


def quick_sum(e: Arithmetic, a: ir.Value, b: ir.Value) -> Pair:
    """a + b as a rounded sum and its error, if a is the larger one (Dekker 1971)."""
    total = e.add(a, b)
    return total, e.sub(b, e.sub(total, a))


def two_product(e: Arithmetic, a: ir.Value, b: ir.Value) -> Pair:
    """a · b as a rounded product and its error."""
    product = e.mul(a, b)
    if e.machine.fma:
        return product, e.fma(a, b, e.neg(product))
    (a1, a2), (b1, b2) = split(e, a), split(e, b)
    error = e.sub(e.mul(a1, b1), product)
    error = e.add(e.add(error, e.mul(a1, b2)), e.mul(a2, b1))
    return product, e.add(error, e.mul(a2, b2))


def quotient(e: Arithmetic, top: tuple[ir.Value, ir.Value | None], bottom: Pair) -> Pair:
    """The quotient of two sums, a large and a small number each, as another such sum, with one division."""
    inverse = e.div(e.constant(1.0), bottom[0])
    ratio = e.mul(top[0], inverse)
    if e.machine.fma:
        rest = e.fma(e.neg(ratio), bottom[0], top[0])
    else:
        product, error = two_product(e, ratio, bottom[0])
        rest = e.sub(e.sub(top[0], product), error)
    rest = e.fma(e.neg(ratio), bottom[1], rest)
    if top[1] is not None:
        rest = e.add(rest, top[1])
    return ratio, e.mul(rest, inverse)


def split(e: Arithmetic, x: ir.Value) -> Pair:
    """x as a sum of two numbers of half as many digits (Veltkamp 1968)."""
    larger = e.mul(x, e.constant(2.0 ** ((MANTISSA[e.bits] + 2) // 2) + 1.0))
    high = e.sub(larger, e.sub(larger, x))
    return high, e.sub(x, high)


# ---- vectors of the size that an instruction takes -----------------------------------------------------------------

Part = Callable[..., ir.Value]


def in_pieces(e: Arithmetic, lanes: int, part: Part, *vectors: ir.Value) -> ir.Value:
    """Applies `part` to `lanes` lanes at a time. A last, shorter piece is filled up."""
    builder, whole = e.builder, -(-e.lanes // lanes) * lanes
    inside = e.of(builder, lanes=lanes)
    if e.lanes == lanes:
        return part(inside, *vectors)
    results = []
    for start in range(0, whole, lanes):
        places = _places([min(i, e.lanes - 1) for i in range(start, start + lanes)])
        results.append(part(inside, *[builder.shuffle_vector(v, _undefined(v), places) for v in vectors]))
    while len(results) > 1:
        if len(results) % 2:
            results.append(_undefined(results[0]))
        both = _places(range(2 * results[0].type.count))
        results = [builder.shuffle_vector(a, b, both) for a, b in zip(results[::2], results[1::2], strict=True)]
    return builder.shuffle_vector(results[0], _undefined(results[0]), _places(range(e.lanes)))


def one_by_one(e: Arithmetic, part: Part, *xs: ir.Value) -> ir.Value:
    """Applies `part`, which takes vectors of 128 bits, to single numbers in the first lane."""
    inside, first = e.of(e.builder, lanes=128 // e.bits), ir.Constant(ir.IntType(32), 0)
    vectors = [e.builder.insert_element(ir.Constant(inside.type, ir.Undefined), x, first) for x in xs]
    return e.builder.extract_element(part(inside, *vectors), first)


def _places(numbers: Iterable[int]) -> ir.Constant:
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)


def _undefined(vector: ir.Value) -> ir.Constant:
    return ir.Constant(vector.type, ir.Undefined)


def in_double(
    e: Arithmetic, body: Callable[[Arithmetic, Sequence[ir.Value]], ir.Value], xs: Sequence[ir.Value]
) -> ir.Value:
    """Applies `body` to numbers as floats of 64 bits. For floats of 32 bits it may be less exact."""
    if e.bits == 64:
        return body(e, xs)
    wide = e.of(e.builder, bits=64)
    wide.short = True
    return e.builder.fptrunc(body(wide, [e.builder.fpext(x, wide.type) for x in xs]), e.type)


def rarely(e: Arithmetic, condition: ir.Value, usual: ir.Value, other: Callable[[], ir.Value]) -> ir.Value:
    """The usual number in each lane where the condition does not hold, else the other one. The other one is only
    calculated if the condition holds in any lane."""
    builder, before = e.builder, e.builder.block
    if e.lanes == 1:
        any_lane = condition
    else:
        lanes = ir.IntType(e.lanes)
        any_lane = builder.icmp_unsigned("!=", builder.bitcast(condition, lanes), ir.Constant(lanes, 0))
    with builder.if_then(any_lane, likely=False):
        chosen = e.where(condition, other(), usual)
        after = builder.block
    result = builder.phi(e.type)
    result.add_incoming(usual, before)
    result.add_incoming(chosen, after)
    return result
