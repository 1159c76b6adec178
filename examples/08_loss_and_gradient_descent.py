"""Loss and gradient descent: how a net learns.

The loss is one number that says how wrong the net is on all examples together; here the mean of the squared errors.
Its gradient says for every parameter which way makes the loss larger, so a small step the other way makes it smaller.
Then everything is calculated again, and another step is taken. That is all:

    forward     predictions, and the loss made of them
    backward    the gradient of the loss in each parameter
    update      each parameter a little against its gradient
    zero        the gradients back to 0, because backward() adds to them

The one thing to choose is the length of the step, the learning rate. Too small, and nothing happens; too large, and
the step leaps over the valley and far up the other side, perhaps to where it is flat and no gradient leads back.
"""

from chainrule.losses import mean_squared_error
from chainrule.nn import MLP

INPUTS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
TARGETS = [1.0, -1.0, -1.0, 1.0]


def train(learning_rate, num_steps):
    """The training loop, written out; returns the losses, the last predictions and the steepest last gradient."""
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
    predictions = model(INPUTS)
    mean_squared_error(predictions, TARGETS).backward()
    return losses, [p.data for p in predictions], max(abs(p.grad) for p in model.parameters())


def main(num_steps=100):
    rates = [0.001, 0.05, 0.5, 20.0]
    runs = {rate: train(rate, num_steps) for rate in rates}
    moments = [num_steps // 10, num_steps // 2, num_steps]
    print("learning rate   first loss   " + "".join(f"after {n:<7}" for n in moments) + "largest gradient then")
    for rate, (losses, _, steepest) in runs.items():
        shown = "".join(f"{losses[n - 1]:<13.6f}" for n in moments)
        print(f"{rate:13}   {losses[0]:10.4f}   {shown}{steepest:.6f}")
    print("\ntargets:                    ", "  ".join(f"{t:7.4f}" for t in TARGETS))
    for rate, (_, predictions, _) in runs.items():
        print(f"predictions at rate {rate:<6}: ", "  ".join(f"{p:7.4f}" for p in predictions))
    print("\nAt 0.001 it has hardly begun. At 20 the first step threw the output to one end of tanh, where it is flat:")
    print("all examples get the same answer, the gradient is next to nothing, and no further step can mend it.")
    return runs


if __name__ == "__main__":
    main()
