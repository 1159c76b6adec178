"""The small GPT of gpt.py, trained by native code: python examples/gpt_compiled.py

Loss and optimiser are those of gpt.py as they stand. `chainrule.compile_step` makes one function of forward, backward
and update; names of many lengths share its loops. Its `run` does many steps in one call, and between calls the model's
Values are what they would be after steps by hand, so the model can invent names at any time.

    pip install '.[compiler]'
"""

import argparse
import random
from time import perf_counter

import gpt

import chainrule
from chainrule import optim


def main(steps=5000, seed=42, invented=20, at_once=500):
    """Trains on one name a step; returns the losses and the new names."""
    rng = random.Random(seed)
    names = gpt.NAMES.read_text(encoding="utf-8").split()
    rng.shuffle(names)
    letters = sorted(set("".join(names)))
    end = len(letters)
    model = gpt.GPT(end + 1, rng)
    optimizer = optim.Adam(model.parameters(), lr=optim.linear(0.01, 0.0, steps), betas=(0.85, 0.99), eps=1e-8)
    step = chainrule.compile_step(lambda tokens: gpt.loss_of(model, tokens), optimizer)

    losses, start = [], perf_counter()
    for first in range(0, steps, at_once):
        some = [names[k % len(names)] for k in range(first, min(first + at_once, steps))]
        losses += step.run([([end, *map(letters.index, name), end],) for name in some])
        mean = sum(losses[first:]) / len(some)
        print(f"step {len(losses)} of {steps}: mean loss {mean:.3f}, {perf_counter() - start:.1f} s")
    new = [gpt.invent(model, letters, rng) for _ in range(invented)]
    print(*new, sep="\n")
    return losses, new


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Trains a small GPT on names by native code, and lets it invent some.")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=42)
    main(**vars(parser.parse_args()))
