"""Exercise 5: a classifier for XOR, and how many hidden neurons it needs.

XOR is 1 where exactly one of its inputs is 1. No single straight line separates the two classes, so a net without a
hidden layer cannot learn it. One hidden neuron does not help: tanh only ever rises, so behind it there is still one
line. Two lines are enough, hence two neurons, in principle.

But a net that could do it need not find the way there from where it happens to start. That is a question for an
experiment: train many nets of each size from different seeds, and count how often all four points come out right. And
where it went wrong, was it for lack of time? Give them four times as long, and see.
"""

import argparse

from chainrule import fit, sigmoid
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


def count_solved(hidden, seeds, epochs):
    """In how many runs, one from each seed, all four points come out right."""
    return sum(train(hidden, seed, epochs)[1].accuracy[-1] == 1.0 for seed in range(seeds))


def experiment(sizes, seeds, epochs):
    """The table: for each number of hidden neurons, how many runs succeeded."""
    solved = {}
    print(f"hidden neurons   of {seeds} runs, with all four right after {epochs} epochs")
    for hidden in sizes:
        solved[hidden] = count_solved(hidden, seeds, epochs)
        rate = solved[hidden] / seeds
        print(f"{hidden:14}   {solved[hidden]:3}  {rate:4.0%}   {'█' * round(30 * rate)}")
    return solved


def conclude(solved, seeds, epochs):
    """What the table says, and whether more time helps the smallest net that can do it."""
    able = [hidden for hidden, count in solved.items() if count]
    if not able:
        print("\nNo net learned it.")
        return None
    patient = count_solved(able[0], seeds, 4 * epochs)
    print(f"\nThe smallest that ever learned it has {able[0]} hidden neurons: {solved[able[0]]} of {seeds} runs.")
    print(f"With {4 * epochs} epochs in place of {epochs} it is {patient} of {seeds}.")
    return patient


def classifier(epochs, picture):
    """One net, looked at closely: its answers, and a picture of its loss and of the boundary that it drew."""
    X, y = xor()
    model, history = train(4, seed=0, epochs=epochs)
    print("a net with 4 hidden neurons:")
    for row, target, score in zip(X, y, model(X), strict=True):
        print(f"  {row} is of class {target:g}; the net gives it {sigmoid(score.data):.4f} for class 1")
    training_picture(history, model, X, y, path=picture)
    print(f"  its loss went from {history.loss[0]:.4f} to {history.loss[-1]:.4f}: see {picture}\n")
    return history


def main(seeds=20, epochs=150, sizes=range(9), picture="xor.png"):
    history = classifier(epochs, picture)
    solved = experiment(sizes, seeds, epochs)
    return history, solved, conclude(solved, seeds, epochs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learns XOR, and counts how many hidden neurons that takes.")
    parser.add_argument("--seeds", type=int, default=20, help="runs of each size (default: 20)")
    parser.add_argument("--picture", default="xor.png", help="where the picture goes (default: xor.png)")
    main(**vars(parser.parse_args()))
