"""Operations at the points where something is agreed rather than computed: IEEE's special numbers, kinks and tails."""

from __future__ import annotations

import math
import statistics
from math import inf, nan, pi

import mpmath
import pytest

from chainrule import Value, grad, hessian, ops, topological_order
from chainrule.errors import OperandError


def show(case):
    op, operands, *_ = case
    return f"{op.name}{operands}"


VALUES = [
    (ops.div, (1.0, 0.0), inf),
    (ops.div, (1.0, -0.0), -inf),
    (ops.div, (-1.0, 0.0), -inf),
    (ops.div, (-1.0, -0.0), inf),
    (ops.div, (0.0, 0.0), nan),
    (ops.div, (nan, 0.0), nan),
    (ops.div, (inf, 0.0), inf),
    (ops.div, (-inf, 0.0), -inf),
    (ops.div, (1.0, inf), 0.0),
    (ops.div, (-1.0, inf), -0.0),
    (ops.div, (inf, inf), nan),
    (ops.div, (1e300, 1e-300), inf),
    (ops.mul, (0.0, inf), nan),
    (ops.mul, (1e300, -1e300), -inf),
    (ops.sub, (inf, inf), nan),
    (ops.pow, (0.0, -1.0), inf),
    (ops.pow, (-0.0, -1.0), -inf),
    (ops.pow, (-0.0, -2.0), inf),
    (ops.pow, (0.0, -0.5), inf),
    (ops.pow, (0.0, -inf), inf),
    (ops.pow, (-0.0, 3.0), -0.0),
    (ops.pow, (-8.0, 1 / 3), nan),
    (ops.pow, (-2.0, 3.0), -8.0),
    (ops.pow, (-2.0, -3.0), -0.125),
    (ops.pow, (-10.0, 309.0), -inf),
    (ops.pow, (-10.0, 310.0), inf),
    (ops.pow, (10.0, 400.0), inf),
    (ops.pow, (10.0, -400.0), 0.0),
    (ops.pow, (-1e-200, -3.0), -inf),
    (ops.pow, (-inf, 3.0), -inf),
    (ops.pow, (-inf, -3.0), -0.0),
    (ops.pow, (0.0, 0.0), 1.0),
    (ops.pow, (nan, 0.0), 1.0),
    (ops.pow, (1.0, nan), 1.0),
    (ops.pow, (nan, 1.0), nan),
    (ops.pow, (2.0, nan), nan),
    (ops.pow, (-1.0, inf), 1.0),
    (ops.pow, (0.5, inf), 0.0),
    (ops.pow, (2.0, -inf), 0.0),
    (ops.log, (0.0,), -inf),
    (ops.log, (-0.0,), -inf),
    (ops.log, (-1.0,), nan),
    (ops.log, (inf,), inf),
    (ops.log, (-inf,), nan),
    (ops.log1p, (-1.0,), -inf),
    (ops.log1p, (-2.0,), nan),
    (ops.log1p, (-0.0,), -0.0),
    (ops.log1p, (1e-300,), 1e-300),
    (ops.sqrt, (-1.0,), nan),
    (ops.sqrt, (-0.0,), -0.0),
    (ops.sqrt, (inf,), inf),
    (ops.exp, (1000.0,), inf),
    (ops.exp, (-1000.0,), 0.0),
    (ops.exp, (-inf,), 0.0),
    (ops.expm1, (1000.0,), inf),
    (ops.expm1, (-1000.0,), -1.0),
    (ops.expm1, (-0.0,), -0.0),
    (ops.expm1, (1e-300,), 1e-300),
    (ops.sin, (inf,), nan),
    (ops.cos, (-inf,), nan),
    (ops.tan, (inf,), nan),
    (ops.atan, (inf,), pi / 2),
    (ops.atan, (-0.0,), -0.0),
    (ops.atan2, (0.0, 0.0), 0.0),
    (ops.atan2, (0.0, -0.0), pi),
    (ops.atan2, (-0.0, -0.0), -pi),
    (ops.atan2, (inf, -inf), 3 * pi / 4),
    (ops.hypot, (1e300, 1e300), math.sqrt(2.0) * 1e300),
    (ops.hypot, (5e-324, 0.0), 5e-324),
    (ops.hypot, (-inf, nan), inf),
    (ops.tanh, (1000.0,), 1.0),
    (ops.tanh, (-inf,), -1.0),
    (ops.tanh, (-0.0,), -0.0),
    (ops.tanh, (1e-300,), 1e-300),
    (ops.sigmoid, (1000.0,), 1.0),
    (ops.sigmoid, (-1000.0,), 0.0),
    (ops.sigmoid, (-700.0,), math.exp(-700.0)),
    (ops.sigmoid, (inf,), 1.0),
    (ops.sigmoid, (-inf,), 0.0),
    (ops.sigmoid, (0.0,), 0.5),
    (ops.softplus, (1000.0,), 1000.0),
    (ops.softplus, (-1000.0,), 0.0),
    (ops.softplus, (-700.0,), math.exp(-700.0)),
    (ops.softplus, (inf,), inf),
    (ops.softplus, (-inf,), 0.0),
    (ops.relu, (-0.0,), 0.0),
    (ops.relu, (-inf,), 0.0),
    (ops.relu, (inf,), inf),
    (ops.relu, (nan,), nan),
    (ops.leaky_relu, (-inf, 0.01), -inf),
    (ops.leaky_relu, (nan, 0.01), nan),
    (ops.gelu, (-inf,), 0.0),
    (ops.gelu, (inf,), inf),
    (ops.gelu, (1000.0,), 1000.0),
    (ops.abs, (-0.0,), 0.0),
    (ops.abs, (-inf,), inf),
    (ops.erf, (-inf,), -1.0),
    (ops.erfc, (inf,), 0.0),
    (ops.erfc, (-inf,), 2.0),
    (ops.max, (nan, 1.0), nan),
    (ops.max, (1.0, nan), nan),
    (ops.max, (inf, nan), nan),
    (ops.min, (nan, 1.0), nan),
    (ops.min, (1.0, nan), nan),
    (ops.min, (-inf, nan), nan),
    (ops.clip, (nan, 0.0, 1.0), nan),
    (ops.clip, (0.5, nan, 1.0), nan),
    (ops.clip, (0.5, 0.0, nan), nan),
    (ops.clip, (5.0, 2.0, 1.0), 1.0),
    (ops.clip, (inf, -inf, inf), inf),
    (ops.floor, (-0.0,), -0.0),
    (ops.floor, (-5e-324,), -1.0),
    (ops.floor, (0.9999999999999999,), 0.0),
    (ops.floor, (-1e300,), -1e300),
    (ops.floor, (-inf,), -inf),
    (ops.floor, (inf,), inf),
    (ops.floor, (nan,), nan),
    (ops.mod, (5.0, 0.0), nan),
    (ops.mod, (0.0, -0.0), nan),
    (ops.mod, (inf, 2.0), nan),
    (ops.mod, (5.0, inf), 5.0),
    (ops.mod, (-5.0, inf), inf),
    (ops.mod, (5.0, -inf), -inf),
    (ops.mod, (-0.0, 2.0), 0.0),
    (ops.mod, (4.0, -2.0), -0.0),
    (ops.mod, (1e-200, -1e-200), -0.0),
    (ops.mod, (1e-300, -1e-200), -1e-200),
    (ops.mod, (nan, 1.0), nan),
    (ops.mod, (1.0, nan), nan),
    (ops.floordiv, (5.0, 0.0), inf),
    (ops.floordiv, (-5.0, 0.0), -inf),
    (ops.floordiv, (0.0, 0.0), nan),
    (ops.floordiv, (inf, 2.0), nan),
    (ops.floordiv, (5.0, inf), 0.0),
    (ops.floordiv, (-5.0, inf), -1.0),
    (ops.floordiv, (-0.0, 2.0), -0.0),
    (ops.floordiv, (1e300, 1e-300), inf),
    (ops.floordiv, (1.0, nan), nan),
    (ops.lt, (nan, 1.0), 0.0),
    (ops.ge, (nan, nan), 0.0),
    (ops.eq, (nan, nan), 0.0),
    (ops.ne, (nan, nan), 1.0),
    (ops.eq, (0.0, -0.0), 1.0),
    (ops.select, (nan, 1.0, 2.0), 1.0),
    (ops.select, (-0.0, 1.0, 2.0), 2.0),
    (ops.chain, (0.0, inf), 0.0),
    (ops.chain, (0.0, nan), 0.0),
    (ops.chain, (inf, 0.0), 0.0),
    (ops.chain, (nan, 0.0), 0.0),
    (ops.sum, (inf, -inf), nan),
    (ops.sum, (1e308, 1e308), inf),
    (ops.weighted_sum, (0.0, inf, 0.0), nan),
    (ops.sum_of_squares, (), 0.0),
    (ops.sum_of_squares, (-inf, 1.0), inf),
    (ops.sum_of_squares, (1e200, 1.0), inf),
    (ops.norm, (), 0.0),
    (ops.norm, (1e300, -1e300), math.sqrt(2.0) * 1e300),
    (ops.norm, (5e-324, 0.0, 0.0), 5e-324),
    (ops.norm, (-inf, nan), inf),
    (ops.logsumexp, (-inf, -inf), -inf),
    (ops.logsumexp, (inf, -inf), inf),
    (ops.logsumexp, (inf, nan), nan),
    (ops.logsumexp, (1000.0, 1000.0), 1000.0 + math.log(2.0)),
    (ops.logsumexp, (-1000.0, -1000.0), -1000.0 + math.log(2.0)),
    (ops.logsumexp, (1e300, -1e300), 1e300),
    (ops.largest, (-0.0, 0.0), -0.0),
    (ops.largest, (0.0, -0.0), 0.0),
    (ops.largest, (-inf, -inf), -inf),
    (ops.largest, (nan, inf), nan),
    (ops.largest, (inf, nan), nan),
    (ops.largest, (), -inf),
    (ops.take, (-0.0, 5.0), 5.0),
    (ops.take, (1.0, 5.0, -0.0), -0.0),
    (ops.take, (0.0, nan, 5.0), nan),
    (ops.take, (1.0, nan, 5.0), 5.0),
    (ops.take, (2.0, 5.0, 6.0), nan),
    (ops.take, (-1.0, 5.0, 6.0), nan),
    (ops.take, (0.5, 5.0, 6.0), nan),
    (ops.take, (5e-324, 5.0, 6.0), nan),
    (ops.take, (inf, 5.0), nan),
    (ops.take, (-inf, 5.0), nan),
    (ops.take, (nan, 5.0), nan),
    (ops.take, (0.0,), nan),
    (ops.stop_gradient, (-0.0,), -0.0),
    (ops.sign, (0.0,), 0.0),
    (ops.sign, (-0.0,), -0.0),
    (ops.sign, (-5e-324,), -1.0),
    (ops.sign, (inf,), 1.0),
    (ops.sign, (nan,), nan),
    (ops.ceil, (-0.5,), -0.0),
    (ops.ceil, (5e-324,), 1.0),
    (ops.ceil, (-0.0,), -0.0),
    (ops.ceil, (-inf,), -inf),
    (ops.ceil, (nan,), nan),
    (ops.ceil, (1e300,), 1e300),
    (ops.round, (0.5,), 0.0),
    (ops.round, (-0.5,), -0.0),
    (ops.round, (1.5,), 2.0),
    (ops.round, (0.49999999999999994,), 0.0),
    (ops.round, (-2.5,), -2.0),
    (ops.round, (4503599627370497.5,), 4503599627370498.0),
    (ops.round, (-inf,), -inf),
    (ops.round, (nan,), nan),
    (ops.asin, (1.0,), pi / 2),
    (ops.asin, (-0.0,), -0.0),
    (ops.asin, (1.0000000000000002,), nan),
    (ops.asin, (inf,), nan),
    (ops.acos, (1.0,), 0.0),
    (ops.acos, (-1.0,), pi),
    (ops.acos, (-inf,), nan),
    (ops.sinh, (-0.0,), -0.0),
    (ops.sinh, (-1000.0,), -inf),
    (ops.sinh, (-inf,), -inf),
    (ops.sinh, (1e-300,), 1e-300),
    (ops.cosh, (-1000.0,), inf),
    (ops.cosh, (-inf,), inf),
    (ops.asinh, (-0.0,), -0.0),
    (ops.asinh, (-inf,), -inf),
    (ops.asinh, (5e-324,), 5e-324),
    (ops.acosh, (1.0,), 0.0),
    (ops.acosh, (0.9999999999999999,), nan),
    (ops.acosh, (-2.0,), nan),
    (ops.acosh, (inf,), inf),
    (ops.atanh, (1.0,), inf),
    (ops.atanh, (-1.0,), -inf),
    (ops.atanh, (1.0000000000000002,), nan),
    (ops.atanh, (inf,), nan),
    (ops.atanh, (-0.0,), -0.0),
    (ops.exp2, (1024.0,), inf),
    (ops.exp2, (-1074.0,), 5e-324),
    (ops.exp2, (-inf,), 0.0),
    (ops.log2, (0.0,), -inf),
    (ops.log2, (-0.0,), -inf),
    (ops.log2, (-1.0,), nan),
    (ops.log2, (5e-324,), -1074.0),
    (ops.log2, (inf,), inf),
    (ops.log10, (0.0,), -inf),
    (ops.log10, (-inf,), nan),
    (ops.log10, (1e22,), 22.0),
    (ops.cbrt, (-0.0,), -0.0),
    (ops.cbrt, (-27.0,), -3.0),
    (ops.cbrt, (-inf,), -inf),
    (ops.cbrt, (2.0**-1074,), 2.0**-358),
    (ops.silu, (-inf,), 0.0),
    (ops.silu, (inf,), inf),
    (ops.silu, (1e300,), 1e300),
    (ops.mish, (-inf,), 0.0),
    (ops.mish, (inf,), inf),
    (ops.mish, (-1e300,), 0.0),
    (ops.elu, (-inf, 2.0), -2.0),
    (ops.elu, (1e300, 2.0), 1e300),
    (ops.elu, (-0.0, 1.0), -0.0),
    (ops.elu, (nan, 1.0), nan),
    (ops.selu, (-inf,), -1.7580993408473766),
    (ops.selu, (inf,), inf),
    (ops.prod, (), 1.0),
    (ops.prod, (0.0, inf), nan),
    (ops.prod, (-0.0, 2.0), -0.0),
    (ops.mean, (inf, 1.0), inf),
    (ops.mean, (), nan),
    (ops.var, (2.0, 2.0), 0.0),
    (ops.var, (inf, inf), nan),
    (ops.var, (0.0, 1e200), inf),
    (ops.logaddexp, (-inf, -inf), -inf),
    (ops.logaddexp, (inf, -inf), inf),
    (ops.logaddexp, (inf, inf), inf),
    (ops.logaddexp, (inf, nan), nan),
    (ops.logaddexp, (-1000.0, -1000.0), -1000.0 + math.log(2.0)),
    (ops.logaddexp, (1e300, -1e300), 1e300),
    (ops.xlogy, (0.0, 0.0), 0.0),
    (ops.xlogy, (-0.0, 0.0), 0.0),
    (ops.xlogy, (0.0, inf), 0.0),
    (ops.xlogy, (0.0, -1.0), 0.0),
    (ops.xlogy, (0.0, nan), nan),
    (ops.xlogy, (1.0, 0.0), -inf),
    (ops.xlogy, (nan, 1.0), nan),
]


@pytest.mark.parametrize("case", VALUES, ids=show)
def test_values_at_special_points_on_floats_and_on_values(case):
    op, operands, expected = case
    assert op.value(*operands).hex() == expected.hex()
    assert Value._record(op, [Value(x) for x in operands]).data.hex() == expected.hex()


@pytest.mark.parametrize("a", [*[k / 10 for k in range(-25, 26)], 1e300, -1e-300, 5e-324, inf, -0.0, nan])
def test_division_with_remainder_is_python_s_to_the_bit(a):
    for b in (0.1, -0.1, 0.3, 2.0, -2.5, 1e-300, -1e300, 5e-324, inf, -inf, nan):
        assert ops.mod(a, b).hex() == (a % b).hex()
        assert ops.floordiv(a, b).hex() == (a // b).hex()


def test_python_s_operators_follow_the_table_and_not_python():
    zero, v = Value(0.0), Value(-8.0)
    found = [(1 / zero).data, (v / 0).data, (zero**-1).data, (0 ** -Value(1.0)).data, (Value(10.0) ** 400).data]
    assert found == [inf, -inf, inf, inf, inf]
    assert math.isnan((v ** (1 / 3)).data)
    assert math.isnan((zero / zero).data)
    assert (v**3).data == -512.0


LOCALS = [
    (ops.relu, (0.0,), (0.0,)),
    (ops.relu, (-0.0,), (0.0,)),
    (ops.relu, (5e-324,), (1.0,)),
    (ops.abs, (0.0,), (0.0,)),
    (ops.abs, (-0.0,), (0.0,)),
    (ops.leaky_relu, (0.0, 0.01), (0.01, 0.0)),
    (ops.max, (1.0, 1.0), (1.0, 0.0)),
    (ops.max, (0.0, -0.0), (1.0, 0.0)),
    (ops.min, (1.0, 1.0), (1.0, 0.0)),
    (ops.clip, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    (ops.clip, (1.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    (ops.clip, (-1.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    (ops.clip, (2.0, 0.0, 1.0), (0.0, 0.0, 1.0)),
    (ops.clip, (-1.0, 1.0, 1.0), (0.0, 1.0, 0.0)),
    (ops.clip, (5.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
    (ops.clip, (-5.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
    (ops.select, (1.0, 5.0, 6.0), (None, 1.0, 0.0)),
    (ops.select, (0.0, 5.0, 6.0), (None, 0.0, 1.0)),
    (ops.select, (nan, 5.0, 6.0), (None, 1.0, 0.0)),
    (ops.lt, (1.0, 2.0), (None, None)),
    (ops.floor, (2.0,), (None,)),
    (ops.mod, (1.0, 0.1), (1.0, -9.0)),
    (ops.mod, (6.0, 3.0), (1.0, -2.0)),
    (ops.mod, (-5.0, inf), (1.0, 1.0)),
    (ops.floordiv, (7.0, 2.0), (None, None)),
    (ops.pow, (0.0, 2.0), (0.0, 0.0)),
    (ops.pow, (0.0, 1.0), (1.0, 0.0)),
    (ops.pow, (0.0, 0.0), (0.0, 0.0)),
    (ops.pow, (nan, 0.0), (0.0, nan)),
    (ops.pow, (-2.0, 2.0), (-4.0, nan)),
    (ops.pow, (0.0, 0.5), (inf, 0.0)),
    (ops.div, (1.0, 0.0), (inf, -inf)),
    (ops.div, (1.0, inf), (0.0, -0.0)),
    (ops.sqrt, (0.0,), (inf,)),
    (ops.log, (0.0,), (inf,)),
    (ops.exp, (1000.0,), (inf,)),
    (ops.exp, (-1000.0,), (0.0,)),
    (ops.tanh, (1000.0,), (0.0,)),
    (ops.tanh, (-1000.0,), (0.0,)),
    (ops.tanh, (1e-300,), (1.0,)),
    (ops.sigmoid, (1000.0,), (0.0,)),
    (ops.sigmoid, (-1000.0,), (0.0,)),
    (ops.sigmoid, (0.0,), (0.25,)),
    (ops.softplus, (1000.0,), (1.0,)),
    (ops.softplus, (-1000.0,), (0.0,)),
    (ops.softplus, (0.0,), (0.5,)),
    (ops.gelu, (1000.0,), (1.0,)),
    (ops.gelu, (-1000.0,), (-0.0,)),
    (ops.gelu, (1e300,), (1.0,)),
    (ops.gelu, (0.0,), (0.5,)),
    (ops.atan, (inf,), (0.0,)),
    (ops.atan, (1e300,), (0.0,)),
    (ops.logsumexp, (1000.0, -1000.0), (1.0, 0.0)),
    (ops.logsumexp, (1000.0, 1000.0 - math.log(3.0)), (0.75, 0.25)),
    (ops.logsumexp, (inf, 1.0), (1.0, 0.0)),
    (ops.logsumexp, (1.0, inf, inf), (0.0, 1.0, 0.0)),
    (ops.logsumexp, (inf, -inf), (1.0, 0.0)),
    (ops.logsumexp, (-inf, -inf), (1.0, 0.0)),
    (ops.logsumexp, (-inf,), (1.0,)),
    (ops.logsumexp, (-inf, 2.0), (0.0, 1.0)),
    (ops.logsumexp, (1.0, nan), (nan, nan)),
    (ops.sigmoid, (inf,), (0.0,)),
    (ops.sigmoid, (-inf,), (0.0,)),
    (ops.softplus, (inf,), (1.0,)),
    (ops.softplus, (-inf,), (0.0,)),
    (ops.tanh, (inf,), (0.0,)),
    (ops.max, (inf, inf), (1.0, 0.0)),
    (ops.min, (-inf, -inf), (1.0, 0.0)),
    (ops.hypot, (0.0, 0.0), (nan, nan)),
    (ops.norm, (0.0, 0.0), (nan, nan)),
    (ops.norm, (0.0, -2.0), (0.0, -1.0)),
    (ops.sum_of_squares, (0.0, -2.0), (0.0, -4.0)),
    (ops.largest, (2.0, 2.0, 1.0), (1.0, 0.0, 0.0)),
    (ops.largest, (-inf, -inf), (1.0, 0.0)),
    (ops.largest, (0.0, -0.0), (1.0, 0.0)),
    (ops.largest, (1.0, inf, inf), (0.0, 1.0, 0.0)),
    (ops.largest, (1.0, nan), (0.0, 0.0)),
    (ops.take, (1.0, 5.0, inf), (0.0, 0.0, 1.0)),
    (ops.take, (-0.0, 5.0, 6.0), (0.0, 1.0, 0.0)),
    (ops.take, (2.0, 5.0, 6.0), (0.0, 0.0, 0.0)),
    (ops.take, (nan, 5.0, 6.0), (0.0, 0.0, 0.0)),
    (ops.stop_gradient, (nan,), (None,)),
    (ops.sign, (0.0,), (None,)),
    (ops.ceil, (1.0,), (None,)),
    (ops.round, (0.5,), (None,)),
    (ops.asin, (1.0,), (inf,)),
    (ops.acos, (-1.0,), (-inf,)),
    (ops.asinh, (1e200,), (1e-200,)),
    (ops.acosh, (1.0,), (inf,)),
    (ops.acosh, (1e200,), (1e-200,)),
    (ops.atanh, (-1.0,), (inf,)),
    (ops.cbrt, (0.0,), (inf,)),
    (ops.cbrt, (-8.0,), (1 / 12,)),
    (ops.silu, (1000.0,), (1.0,)),
    (ops.silu, (-1000.0,), (0.0,)),
    (ops.silu, (inf,), (1.0,)),
    (ops.silu, (-inf,), (0.0,)),
    (ops.mish, (inf,), (1.0,)),
    (ops.mish, (-inf,), (0.0,)),
    (ops.mish, (1e300,), (1.0,)),
    (ops.elu, (0.0, 0.5), (0.5, 0.0)),
    (ops.elu, (inf, 0.5), (1.0, 0.0)),
    (ops.elu, (-inf, 0.5), (0.0, -1.0)),
    (ops.selu, (0.0,), (1.7580993408473766,)),
    (ops.prod, (0.0, 3.0, 2.0), (6.0, 0.0, 0.0)),
    (ops.prod, (0.0, 0.0, 2.0), (0.0, 0.0, 0.0)),
    (ops.mean, (inf, 1.0), (0.5, 0.5)),
    (ops.var, (2.0, 1.0, 3.0), (0.0, -1.0, 1.0)),
    (ops.logaddexp, (inf, inf), (1.0, 0.0)),
    (ops.logaddexp, (-inf, -inf), (1.0, 0.0)),
    (ops.logaddexp, (1.0, inf), (0.0, 1.0)),
    (ops.logaddexp, (2.0, 2.0), (0.5, 0.5)),
    (ops.logaddexp, (-1000.0, 1000.0), (0.0, 1.0)),
    (ops.xlogy, (0.0, 0.0), (-inf, 0.0)),
    (ops.xlogy, (0.0, 2.0), (math.log(2.0), 0.0)),
    (ops.xlogy, (3.0, 0.0), (-inf, inf)),
]


@pytest.mark.parametrize("case", LOCALS, ids=show)
def test_local_derivatives_at_special_points(case):
    op, operands, expected = case
    y = op.value(*operands)
    found = [op.local(i, operands, y) for i in range(len(operands))]
    for local, wanted in zip(found, expected, strict=True):
        assert (local is None) == (wanted is None)
        if wanted is not None:
            assert local == pytest.approx(wanted, rel=1e-12, abs=0.0, nan_ok=True)


@pytest.mark.parametrize("op", [ops.max, ops.min], ids=["max", "min"])
def test_ties_give_the_whole_gradient_to_the_first_operand(op):
    a, b = Value(2.0), Value(2.0)
    op(a, b).backward()
    assert (a.grad, b.grad) == (1.0, 0.0)


def test_x_to_the_power_zero_has_no_slope_even_at_nan():
    for x in (0.0, nan, inf, -2.0):
        assert grad(lambda x: x**0)(x) == 0.0
        assert grad(grad(lambda x: x**0))(x) == 0.0


def test_powers_at_zero_to_higher_order():
    def square(x):
        return x**2

    def cube(x):
        return x**3

    assert [grad(square)(0.0), grad(grad(square))(0.0), grad(grad(grad(square)))(0.0)] == [0.0, 2.0, 0.0]
    assert [grad(cube)(0.0), grad(grad(cube))(0.0), grad(grad(grad(cube)))(0.0)] == [0.0, 0.0, 6.0]


def test_a_variable_power_of_zero():
    assert grad(lambda p: 0.0**p)(2.0) == 0.0
    assert grad(grad(lambda p: 0.0**p))(2.0) == 0.0
    x, p = Value(0.0), Value(2.0)
    (x**p).backward()
    assert (x.grad, p.grad) == (0.0, 0.0)


TAILS = [-1000.0, -700.0, -300.0, -40.0, -5.0, -1e-9, -1e-300, 1e-300, 1e-9, 5.0, 40.0, 300.0, 1000.0]
SMOOTH = {
    ops.tanh: mpmath.tanh,
    ops.sigmoid: lambda x: 1 / (1 + mpmath.exp(-x)),
    ops.softplus: lambda x: mpmath.log1p(mpmath.exp(x)),
    ops.erf: mpmath.erf,
    ops.gelu: lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    ops.silu: lambda x: x / (1 + mpmath.exp(-x)),
    ops.mish: lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
}


@pytest.mark.parametrize("x", TAILS)
@pytest.mark.parametrize("op", SMOOTH, ids=[op.name for op in SMOOTH])
def test_first_and_second_derivatives_in_the_tails_and_near_zero(op, x):
    with mpmath.workdps(60):
        first, second = [float(mpmath.diff(SMOOTH[op], mpmath.mpf(x), n)) for n in (1, 2)]
    assert grad(op)(x) == pytest.approx(first, rel=1e-13, abs=1e-15)
    assert grad(grad(op))(x) == pytest.approx(second, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("x", [x for x in TAILS if abs(x) < 710])
@pytest.mark.parametrize("op", [ops.sigmoid, ops.softplus], ids=["sigmoid", "softplus"])
def test_the_tails_of_sigmoid_and_softplus_keep_every_digit(op, x):
    with mpmath.workdps(400):
        first = float(mpmath.diff(SMOOTH[op], mpmath.mpf(x)))
    assert grad(op)(x) == pytest.approx(first, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("shift", [-1000.0, 0.0, 1000.0])
def test_softmax_by_logsumexp_far_from_zero(shift):
    xs = [shift + x for x in (-1.0, 0.0, 2.5)]
    slopes = grad(ops.logsumexp)(xs)
    weights = [math.exp(x - shift) for x in xs]
    assert slopes == pytest.approx([w / sum(weights) for w in weights], rel=1e-12)
    assert sum(slopes) == pytest.approx(1.0, rel=1e-12)


# ---- products and variances ----------------------------------------------------------------------------------------


def test_derivatives_of_a_product_with_zeros_to_any_order():
    """Of a product of n different numbers, a mixed derivative is the product of the others."""
    for xs in ([2.0, 3.0, 5.0], [0.0, 3.0, 5.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]):
        a, b, c = xs
        assert grad(ops.prod)(xs) == [b * c, a * c, a * b]
        assert hessian(ops.prod)(xs) == [[0.0, c, b], [c, 0.0, a], [b, a, 0.0]]
    third = grad(lambda a: grad(lambda b: grad(lambda c: ops.prod([a, b, c, 7.0]))(0.0))(0.0))
    assert third(0.0) == 7.0


@pytest.mark.parametrize("zeros", [(), (7,), (7, 40), (0, 1, 2)])
def test_a_long_product_is_made_of_bundles(zeros):
    xs = [0.0 if i in zeros else 1.0 + 0.01 * i for i in range(100)]
    values = [Value(x) for x in xs]
    y = ops.prod(values)
    y.backward()
    assert y.data == ops.prod(xs)
    assert len(topological_order(y)) < 120
    for i, v in enumerate(values):
        assert v.grad == pytest.approx(math.prod(xs[:i] + xs[i + 1 :]), rel=1e-13)


def test_a_variance_to_second_order_and_its_linear_work():
    xs = [1.0, -2.0, 4.0, 0.5]
    n, m = len(xs), sum(xs) / 4
    assert ops.var(xs) == pytest.approx(statistics.pvariance(xs), rel=1e-15)
    assert grad(ops.var)(xs) == pytest.approx([2 * (x - m) / n for x in xs])
    wanted = [[2 / n * ((i == j) - 1 / n) for j in range(n)] for i in range(n)]
    assert all_close(hessian(ops.var)(xs), wanted)
    y = ops.var([Value(x) for x in range(1000)])
    assert len(topological_order(y)) == 1002


def all_close(rows, wanted):
    return all(row == pytest.approx(other, abs=1e-15) for row, other in zip(rows, wanted, strict=True))


@pytest.mark.parametrize("op", [ops.mean, ops.var])
def test_there_is_no_mean_of_nothing(op):
    with pytest.raises(OperandError, match="no mean of an empty list: give at least one number"):
        op([])
    with pytest.raises(OperandError, match="a list of numbers is needed"):
        op(2.0)
