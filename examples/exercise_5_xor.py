"""Exercise 5: a classifier for XOR, and how many hidden neurons it needs.

XOR is 1 where exactly one of its inputs is 1. No single straight line separates the two classes, so a net without a
hidden layer cannot learn it. How many hidden neurons does it take? In principle two. But a net that could do it need
not find the way there from where it happens to start, so the question is one for an experiment: train many nets of
each size from different seeds, and count how often all four points come out right.
"""

import argparse

from chainrule import fit
from chainrule.data import xor
from chainrule.nn import MLP
from chainrule.optim import Adam
from chainrule.plots import training_picture


def train(hidden, seed, epochs):
    """A net with so many hidden tanh neurons, trained on the four points; returns it with the history of its losses."""
    X, y = xor()
    model = MLP(2, [hidden, 1] if hidden else [1], activation="tanh", init="xavier", seed=seed)
    optimizer = Adam(model.parameters(), lr=0.1)
    history = fit(model, X, y, loss="binary_cross_entropy", optimizer=optimizer, epochs=epochs, progress=False)
    return model, history


def success_rates(sizes, seeds, epochs):
    """For each number of hidden neurons, the share of runs that end with all four points right."""
    rates = {}
    print(f"hidden neurons   runs of {seeds} with all four right")
    for hidden in sizes:
        solved = sum(train(hidden, seed, epochs)[1].accuracy[-1] == 1.0 for seed in range(seeds))
        rates[hidden] = solved / seeds
        print(f"{hidden:14}   {solved:3}   {'█' * round(30 * rates[hidden])}")
    return rates


def main(seeds=20, epochs=150, sizes=range(9), picture="xor.png"):
    rates = success_rates(sizes, seeds, epochs)
    model, history = train(4, seed=0, epochs=epochs)
    X, y = xor()
    training_picture(history, model, X, y, path=picture)
    print(f"\nWith 4 hidden neurons the loss went from {history.loss[0]:.4f} to {history.loss[-1]:.4f}; see {picture}")
    return rates, history


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learns XOR, and counts how many hidden neurons that takes.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--picture", default="xor.png")
    main(**vars(parser.parse_args()))
