import math
from random import Random
from statistics import fmean, pstdev

import pytest

from chainrule.nn import INITIALIZERS, MLP


@pytest.mark.parametrize(
    ("name", "deviation"),
    [("uniform", 2 / math.sqrt(12)), ("xavier", math.sqrt(2 / (50 + 30))), ("he", math.sqrt(2 / 50))],
)
def test_weights_have_the_spread_that_the_papers_ask_for(name, deviation):
    rng = Random(0)
    weights = [INITIALIZERS[name](rng, 50, 30) for _ in range(20_000)]
    assert fmean(weights) == pytest.approx(0.0, abs=0.03 * deviation)
    assert pstdev(weights) == pytest.approx(deviation, rel=0.03)


def test_a_function_may_be_given():
    model = MLP(2, [3, 1], init=lambda rng, nin, nout: nin / nout)
    assert [neuron.w[0].data for layer in model.layers for neuron in layer.neurons] == [2 / 3] * 3 + [3.0]
