"""Loss and gradient descent: how a net learns.

The loss is one number that says how wrong the net is on all examples together; here the mean of the squared errors.
Its gradient says for every parameter which way makes the loss larger, so a small step the other way makes it smaller.
Then everything is calculated again, and another step is taken. That is all:

    forward     predictions, and the loss made of them
    backward    the gradient of the loss in each parameter
    update      each parameter a little against its gradient
    zero        the gradients back to 0, because backward() adds to them

The one thing to choose is the length of the step, the learning rate. Too small, and nothing happens; too large, and
the step leaps over the valley.
"""

from chainrule.losses import mean_squared_error
from chainrule.nn import MLP

INPUTS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
TARGETS = [1.0, -1.0, -1.0, 1.0]


def train(learning_rate, num_steps):
    """The training loop, written out; returns the losses and the last predictions."""
    model = MLP(3, [4, 4, 1], activation="tanh", output_activation="tanh", seed=1337)
    losses = []
    for _ in range(num_steps):
        predictions = model(INPUTS)
        loss = mean_squared_error(predictions, TARGETS)
        loss.backward()
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        model.zero_grad()
        losses.append(loss.data)
    return losses, [p.data for p in model(INPUTS)]


def main(num_steps=100):
    rates = [0.001, 0.05, 0.5, 20.0]
    runs = {rate: train(rate, num_steps) for rate in rates}
    print(
        "learning rate   first loss   " + "".join(f"after {n:<7}" for n in (num_steps // 10, num_steps // 2, num_steps))
    )
    for rate, (losses, _) in runs.items():
        shown = [losses[num_steps // 10 - 1], losses[num_steps // 2 - 1], losses[-1]]
        print(f"{rate:13}   {losses[0]:10.4f}   " + "".join(f"{loss:<13.6f}" for loss in shown))
    print("\ntargets:                    ", "  ".join(f"{t:7.4f}" for t in TARGETS))
    for rate, (_, predictions) in runs.items():
        print(f"predictions at rate {rate:<6}: ", "  ".join(f"{p:7.4f}" for p in predictions))
    return runs


if __name__ == "__main__":
    main()
