"""The workloads: what they are, who takes part, and why others do not."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiled_contest import contestants as who

PEERS = [who.EAGER, who.NUMPY, who.TORCH, who.TORCH_COMPILE, who.JAX, who.JAX_SCAN, who.CASADI, who.AADC]
TENSORS = dict.fromkeys(
    (who.TORCH_COMPILE, who.JAX, who.JAX_SCAN),
    "each operation is one of its primitives, and compiling 2,000 of the 100,000 takes it most of a minute already",
) | {who.NUMPY: "there are no arrays in it"}


@dataclass(frozen=True)
class Workload:
    title: str
    step: str
    """What the time is of."""
    names: list[str]
    left_out: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    """Where the contestants' programs stand, if not in a package of the workload's name; the first that has one."""
    options: dict[str, str] = field(default_factory=dict)
    """What every program is made with."""


WORKLOADS = {
    "moons": Workload(
        "micrograd's demo: MLP(2, [16, 16, 1]), 100 points, max margin and L2, gradient descent; chainrule is given "
        "the loss of one point, and a batch",
        "a step of training",
        [who.C, *who.COMPILERS, *PEERS, who.MICROGRAD],
    ),
    "moons_lists": Workload(
        "the same loss over Python lists, nothing declared",
        "a step of training",
        [who.C, *who.COMPILERS, who.EAGER, who.NUMPY, who.TORCH, who.JAX, who.JAX_SCAN, who.CASADI, who.AADC],
        dict.fromkeys((who.TORCH_COMPILE, who.MICROGRAD), "the same as in moons"),
        packages=("moons_lists", "moons"),
    ),
    "asian": Workload(
        "arithmetic-average Asian call, 252 steps, 10,240 paths: price and three derivatives",
        "a price",
        [who.C, who.C_TWICE, *who.COMPILERS, *PEERS],
        {who.MICROGRAD: "it has no exp"},
    ),
    "gpt": Workload(
        "examples/gpt.py, a name a step: loss, gradients, Adam; names of all lengths in shuffled order",
        "a step of training",
        [who.C, *who.COMPILERS, *PEERS],
        {who.MICROGRAD: "it has neither exp nor log"},
    ),
    "irregular_wide": Workload(
        "a random graph of 100,000 additions, subtractions and products, some 300 levels: value and 100 derivatives; C "
        "runs level by level",
        "a value and its gradient",
        [who.C, *who.COMPILERS, who.EAGER, who.TORCH, who.CASADI, who.AADC, who.MICROGRAD],
        TENSORS,
        packages=("irregular",),
        options={"family": "wide"},
    ),
    "irregular_narrow": Workload(
        "the same, 8 to 16 wide, a third of it sin and tanh",
        "a value and its gradient",
        [who.C, *who.COMPILERS, who.EAGER, who.TORCH, who.CASADI, who.AADC],
        TENSORS | {who.MICROGRAD: "it has neither sin nor tanh"},
        packages=("irregular",),
        options={"family": "narrow"},
    ),
}

SMALL = {
    "scalars": "sin(x) y + exp(-x): value and two derivatives, floats in and out",
    "array": "the sum of the squares of an array of 100 numbers: value and gradient",
    "logsumexp": "logsumexp of an array of 2,500 numbers: value and gradient",
    "list": "the same of a Python list, with a list as the gradient; for JAX and CasADi an array",
    "least_squares": "the squared residuals of 128 rows with 16 weights: value and gradient in the weights",
    "batch": "sin(x) y + exp(-x) of 10,000 samples: values and derivatives",
    "jacobian": "a batch of 10,000 samples of 15 numbers: the Jacobian of two results",
}
WORKLOADS |= {
    f"small_{case}": Workload(
        title,
        "a call",
        [who.C, who.COMPILED, who.EAGER, who.JAX, who.CASADI],
        packages=("small",),
        options={"case": case},
    )
    for case, title in SMALL.items()
}

GROWTH = Workload("growth", "a run", [], packages=("growth",))
