"""A small GPT that learns to invent names, letter by letter, in plain scalar Python: python examples/gpt.py

A name such as "emma" becomes the tokens ⟨·⟩ e m m a ⟨·⟩, where ⟨·⟩ marks beginning and end. At each position the
model sees the tokens so far and gives each possible next token a logit (the higher, the likelier); the loss is the
cross-entropy with the tokens that came.

Attention makes it a GPT: each position asks a question (query), every position so far offers a key and a value, and
the answer is the mean of the values, weighted by how well their keys fit the question. The rest is sums of products,
which is to say `chainrule.weighted_sum`; 4,192 numbers in all, each a Value.
"""

import argparse
import random
from pathlib import Path

from chainrule import Value, no_grad, optim, relu, weighted_sum
from chainrule.losses import cross_entropy
from chainrule.nn import Embedding, Module, linear, rms_norm, softmax

NAMES = Path(__file__).parent / "data" / "names.txt"
WIDTH, HEADS, CONTEXT = 16, 4, 16
HEAD = WIDTH // HEADS


def matrix(rows, columns, rng):
    return [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]


def times(weights, x):
    """A matrix times a vector: one weighted sum a row."""
    return linear(x, weights)


def plus(a, b):
    return [x + y for x, y in zip(a, b, strict=True)]


class GPT(Module):
    """One layer: attention looks back, neurons think it over, and each adds its result to what came in."""

    def __init__(self, tokens, rng):
        self.token_embedding = Embedding(tokens, WIDTH, init=lambda rng, nin, nout: rng.gauss(0, 0.08), rng=rng)
        self.position_embedding = matrix(CONTEXT, WIDTH, rng)
        self.unembedding = matrix(tokens, WIDTH, rng)
        self.query, self.key, self.value, self.output = [matrix(WIDTH, WIDTH, rng) for _ in range(4)]
        self.widen = matrix(4 * WIDTH, WIDTH, rng)
        self.narrow = matrix(WIDTH, 4 * WIDTH, rng)

    def logits(self, token, position, keys, values):
        """A logit for each next token. `keys` and `values` hold those of earlier positions, and grow by one."""
        x = rms_norm(plus(self.token_embedding(token), self.position_embedding[position]))
        x = plus(x, self.attend(rms_norm(x), keys, values))
        x = plus(x, times(self.narrow, [relu(h) for h in times(self.widen, rms_norm(x))]))
        return times(self.unembedding, x)

    def attend(self, x, keys, values):
        """What this position learns from itself and the earlier ones."""
        query = times(self.query, x)
        keys.append(times(self.key, x))
        values.append(times(self.value, x))
        heads = []
        for h in range(0, WIDTH, HEAD):  # each head looks at its own part of the vectors
            fits = [weighted_sum(query[h : h + HEAD], key[h : h + HEAD]) * HEAD**-0.5 for key in keys]
            weights = softmax(fits)  # positive, of sum 1
            heads += [weighted_sum(weights, [value[i] for value in values]) for i in range(h, h + HEAD)]
        return times(self.output, heads)


def loss_of(model, tokens):
    """The mean cross-entropy of each token of a name, given those before it."""
    keys, values = [], []
    seen, following = tokens[:-1][:CONTEXT], tokens[1:][:CONTEXT]
    logits = [model.logits(token, position, keys, values) for position, token in enumerate(seen)]
    return cross_entropy(logits, following)


def invent(model, letters, rng, temperature=0.5):
    """A new name, drawn token by token; a temperature below 1 makes likely ones likelier still."""
    token = end = len(letters)
    keys, values, name = [], [], ""
    with no_grad():
        for position in range(CONTEXT):
            logits = model.logits(token, position, keys, values)
            chances = softmax([logit.data / temperature for logit in logits])
            token = rng.choices(range(end + 1), chances)[0]
            if token == end:
                break
            name += letters[token]
    return name


def main(steps=1000, seed=42, invented=20):
    """Trains on one name a step; returns the losses and the new names."""
    rng = random.Random(seed)
    names = NAMES.read_text(encoding="utf-8").split()
    rng.shuffle(names)
    letters = sorted(set("".join(names)))
    model = GPT(len(letters) + 1, rng)
    optimizer = optim.Adam(model.parameters(), lr=optim.linear(0.01, 0.0, steps), betas=(0.85, 0.99), eps=1e-8)
    losses, end = [], len(letters)
    for step in range(steps):
        loss = loss_of(model, [end, *map(letters.index, names[step % len(names)]), end])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
        recent = losses[-100:]
        print(f"step {step + 1} of {steps}: mean loss of recent names {sum(recent) / len(recent):.3f}", end="\r")
    print()
    new = [invent(model, letters, rng) for _ in range(invented)]
    print(*new, sep="\n")
    return losses, new


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Trains a small GPT on names and lets it invent some.")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=42)
    main(**vars(parser.parse_args()))
