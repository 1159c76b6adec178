"""An Asian option by Monte Carlo: ordinary scalar Python, compiled, with exact derivatives.

Whoever holds the option gets what the average of a share's price over the year is above the strike, or nothing. The
price of the option is the mean of that over many possible years; how it answers to the share's price (delta), to the
volatility (vega) and to the interest rate (rho) are its derivatives. `payoff` is one possible year, day by day, written
as one would write it down anywhere. `chainrule.compile` finds the loop in it, runs it along the CPU's vectors, and
takes the derivatives of all paths along with the price.

The average of the logarithms has a price in closed form (Kemna and Vorst, 1990), so one can see that all is well.

    pip install '.[compiler]'
    python examples/asian_option.py
"""

import argparse
import math
from statistics import NormalDist
from time import perf_counter

import numpy as np

import chainrule

DAYS, STRIKE = 252, 100.0


def final(spot, volatility, rate, normals, average):
    """What the option pays in one possible year, as money of today."""
    drift = (rate - volatility**2 / 2) / DAYS
    price, prices = spot, []
    for z in normals:
        price = price * chainrule.exp(drift + volatility * math.sqrt(1 / DAYS) * z)
        prices.append(price)
    mean = average(prices)
    return chainrule.exp(-rate) * (mean - STRIKE) if mean > STRIKE else 0.0 * mean


def arithmetic(prices):
    """The mean that the contract names."""
    return sum(prices) / DAYS


def geometric(prices):
    """The mean that has a closed form."""
    return chainrule.exp(sum([chainrule.log(price) for price in prices]) / DAYS)


def payoff(spot, volatility, rate, normals):
    """One possible year of the option."""
    return final(spot, volatility, rate, normals, arithmetic)


def closed_form(spot, volatility, rate):
    """The price with the geometric mean: the logarithm of that is normal."""
    mean = math.log(spot) + (rate - volatility**2 / 2) * (DAYS + 1) / (2 * DAYS)
    deviation = volatility * math.sqrt((DAYS + 1) * (2 * DAYS + 1) / (6 * DAYS**2))
    d = (mean - math.log(STRIKE)) / deviation
    above = math.exp(mean + deviation**2 / 2) * NormalDist().cdf(d + deviation)
    return math.exp(-rate) * (above - STRIKE * NormalDist().cdf(d))


def main(paths=10_000, seed=1):
    """Prints and returns the price, its derivatives, and both prices with the geometric mean."""
    now = (100.0, 0.2, 0.05)
    normals = np.random.default_rng(seed).standard_normal((paths, DAYS))
    price = chainrule.compile(payoff, in_axes=(None, None, None, 0), reduce="mean")
    for _ in range(3):  # the first calls trace and compile, for each side of the `if`
        price.value_and_grad(*now, normals, argnums=(0, 1, 2))

    start = perf_counter()
    value, greeks = price.value_and_grad(*now, normals, argnums=(0, 1, 2))
    seconds = perf_counter() - start
    print(f"{paths:,} paths of {DAYS} days, with derivatives, in {1e3 * seconds:.1f} ms; {price.traces} traces")
    for name, x in zip(("price", "delta", "vega", "rho"), (value, *greeks), strict=True):
        print(f"{name:<6}{x:8.3f}")

    each = chainrule.compile(lambda *year: final(*year, geometric), in_axes=(None, None, None, 0))(*now, normals)
    error = each.std() / math.sqrt(paths)
    print(f"geometric mean: {each.mean():.3f} ± {error:.3f}, in closed form {closed_form(*now):.3f}")
    return value, greeks, each.mean(), error, closed_form(*now)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--paths", type=int, default=10_000)
    main(parser.parse_args().paths)
