"""The forgotten zero_grad: the bug that everybody has once.

`backward()` adds to `.grad`. It has to: a number that is used twice gets its gradient in two parts. But then
gradients also add up from one training step to the next, unless somebody sets them back to 0. A loop that forgets it
updates with the sum of all gradients so far. It gathers momentum without brakes: it may even learn faster for a
while, then overshoots, swings back, and nobody is told why.

chainrule tells: the first time such a mixture is used, a warning names the line and shows the mended loop. Gradients
that are summed on purpose, over several batches before one update, are not complained about.
"""

import warnings

from chainrule.errors import StaleGradientWarning
from chainrule.losses import mean_squared_error
from chainrule.nn import MLP

INPUTS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
TARGETS = [1.0, -1.0, -1.0, 1.0]


def train(zero, num_steps, learning_rate=0.05):
    """The loop of the lesson before, with the line that is so easily forgotten made optional."""
    model = MLP(3, [4, 4, 1], activation="tanh", seed=1337)
    losses = []
    for _ in range(num_steps):
        loss = mean_squared_error(model(INPUTS), TARGETS)
        if zero:
            model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        losses.append(loss.data)
    return losses


def accumulate(num_steps, learning_rate=0.05):
    """Summing gradients on purpose: one backward() a sample, one update for all of them. No warning."""
    model = MLP(3, [4, 4, 1], activation="tanh", seed=1337)
    losses = []
    for _ in range(num_steps):
        model.zero_grad()
        total = 0.0
        for x, target in zip(INPUTS, TARGETS, strict=True):
            loss = mean_squared_error(model(x), target) * (1 / len(INPUTS))
            loss.backward()
            total += loss.data
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        losses.append(total)
    return losses


def chart(marks, step, width=40):
    """One step as a line of text: the farther right a mark stands, the larger its loss."""
    top = max(max(losses) for losses in marks.values())
    line = [" "] * (width + 1)
    for mark, losses in marks.items():
        line[round(width * losses[step] / top)] = mark
    return "".join(line).rstrip()


def main(num_steps=60):
    right = train(True, num_steps)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StaleGradientWarning)
        wrong = train(False, num_steps)
        summed = accumulate(num_steps)
    print("step   z: zeroed   s: summed on purpose   f: forgotten   | the loss, from 0 to its highest")
    for step in range(0, num_steps, max(1, num_steps // 20)):
        numbers = f"{step:4}   {right[step]:9.4f}   {summed[step]:20.4f}   {wrong[step]:12.4f}"
        print(f"{numbers}   |{chart({'f': wrong, 's': summed, 'z': right}, step)}")
    print("\nThe sum on purpose is the same as the zeroed one, to the last digit shown: z hides s.")
    for warning in caught:  # one, however many steps there were
        print(f"What chainrule says:\n\n{warning.message}")
    return right, wrong, summed, caught


if __name__ == "__main__":
    main()
