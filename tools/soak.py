"""A soak test: threads do at random everything that chainrule does, and compare every number with a known one.

    python tools/soak.py --seconds 30 --threads 8 --starts 20

Each start is a process of its own with an empty cache, in which threads switch as often as Python allows. It ends with
the first wrong number, exception or crash, and prints the seed with which to repeat it (threads being threads, perhaps
not at the same place). The exit status is 0 if all starts ended well.
"""

from __future__ import annotations

import argparse
import copy
import faulthandler
import gc
import math
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from random import Random

import chainrule
from chainrule import Value, ops, optim
from chainrule.data import moons
from chainrule.nn import MLP
from chainrule.training import fit

X, Y = moons(n=24, noise=0.1, seed=0)


def close(actual, expected, what):
    """Asserts that numbers, or nested lists of numbers, are nearly equal."""
    if isinstance(expected, list | tuple):
        for a, b in zip(actual, expected, strict=True):
            close(a, b, what)
    elif not math.isclose(actual, expected, rel_tol=1e-8, abs_tol=1e-9):
        raise AssertionError(f"{what}: {actual!r}, and not {expected!r}")


# ---- functions, all made anew with numbers of their own, so that there is always something to compile ----------------


def branching(k):
    return lambda x: chainrule.tanh(x) * k if x > 0 else (x * x - k if x > -1 else x * k)


def nested(k):
    return lambda x: chainrule.sum([ops.sin(x * (i + k)) * ops.exp(-x * i * 0.1) for i in range(7)])


def stepping(k):
    def simulated(x):
        for _ in range(30):
            x = x + 0.01 * (k - x * x)
        return x

    return simulated


KINDS = (branching, nested, stepping)


class Thread:
    """The work of one thread, and what it shares with the others."""

    def __init__(self, seed, shared):
        self.rng, self.shared, self.done = Random(seed), shared, Counter()

    def first(self):
        """What all threads do first, in a process in which nothing has been compiled."""
        self.doing = "the first step"
        self.steps_of_ones_own()

    def one(self):
        """One deed, drawn at random."""
        deed = self.rng.choice(DEEDS)
        self.doing = deed.__name__
        deed(self)
        self.done[self.doing] += 1

    def _function(self):
        return self.rng.choice(KINDS)(self.rng.uniform(0.5, 2.0))

    def _numbers(self, count):
        return [self.rng.uniform(-2.0, 2.0) for _ in range(count)]

    # ---- deeds ----
    def compile_and_call(self):
        f = self._function()
        g = chainrule.compile(f)
        for x in self._numbers(4):
            close(g(x), f(Value(x)).data, "a compiled value")
            close(g.value_and_grad(x), chainrule.value_and_grad(f)(x), "a compiled derivative")

    def compile_a_batch(self):
        f, xs = self._function(), self._numbers(self.rng.randrange(1, 40))
        g = chainrule.compile(f, in_axes=0, threads=self.rng.choice([1, 2]))
        values, slopes = g.value_and_grad(xs)
        close(values.tolist(), [f(Value(x)).data for x in xs], "a batch")
        close(slopes.tolist(), [chainrule.grad(f)(x) for x in xs], "the derivatives of a batch")

    def call_what_is_shared(self):
        f, g, batched = self.shared.functions[self.rng.randrange(len(KINDS))]
        xs = self._numbers(9)
        wanted = [f(Value(x)).data for x in xs]
        close(batched(xs).tolist(), wanted, "a shared batch")
        close([g(x) for x in xs], wanted, "a shared function")
        close(g.grad(xs[0]), chainrule.grad(f)(xs[0]), "a shared derivative")
        if self.rng.random() < 0.2 and "trace" not in g.explain():
            raise AssertionError("a report without traces")

    def steps_of_ones_own(self):
        start, x, y, count = *self._numbers(3), self.rng.randrange(1, 40)
        kind = self.rng.choice([lambda w: optim.SGD(w, lr=0.01, momentum=0.5), lambda w: optim.Adam(w, lr=0.01)])
        w, v = [Value(start), Value(0.5)], [Value(start), Value(0.5)]
        step, by_hand = chainrule.compile_step(lambda x, y: (w[0] * x + w[1] - y) ** 2, kind(w)), kind(v)
        step.run([(x, y)] * count)
        for _ in range(count):
            by_hand.zero_grad()
            ((v[0] * x + v[1] - y) ** 2).backward()
            by_hand.step()
        close([p.data for p in w], [p.data for p in v], "steps")

    def step_what_is_shared(self):
        count = self.rng.randrange(1, 20)
        self.shared.step.run([()] * count)
        self.shared.counted.append(count)

    def train(self):
        compile = self.rng.random() < 0.7
        model = MLP(2, [3, 2], activation="tanh", seed=1)
        fit(model, X, Y, loss="cross_entropy", epochs=1, batch_size=8, progress=False, compile=compile)
        close([p.data for p in model.parameters()], self.shared.trained, "a fit")

    def eager(self):
        x, y = Value(self._numbers(1)[0]), Value(2.0)
        z = x
        for _ in range(200):
            z = z * 0.9 + y * x
        z.backward()
        x.grad, first = 0.0, x.grad
        z.refresh().backward()
        close(x.grad, first, "the same gradient again")

    def backward_on_what_is_shared(self):
        (self.shared.leaf * 3.0).backward()
        self.shared.deposits.append(3.0)

    def copies(self):
        model = copy.deepcopy(self.shared.model)
        again = pickle.loads(pickle.dumps(model))
        x = self._numbers(2)
        close(again(x).data, self.shared.model(x).data, "a copy")
        graph = pickle.loads(pickle.dumps(ops.tanh(Value(0.5)) * 3))
        graph.backward()
        close(graph.data, 3 * math.tanh(0.5), "a pickled graph")

    def collect(self):
        gc.collect(self.rng.randrange(3))


DEEDS = [
    *[Thread.compile_and_call] * 3,
    *[Thread.compile_a_batch] * 3,
    *[Thread.call_what_is_shared] * 6,
    *[Thread.steps_of_ones_own] * 3,
    *[Thread.step_what_is_shared] * 4,
    Thread.train,
    *[Thread.eager] * 4,
    *[Thread.backward_on_what_is_shared] * 4,
    *[Thread.copies] * 2,
    Thread.collect,
]


class Shared:
    """What all threads of a start share. Only the eager `fit`, which all others must agree with, has run before the
    threads begin."""

    def __init__(self):
        own = [kind(1.25) for kind in KINDS]
        self.functions = [(f, chainrule.compile(f), chainrule.compile(f, in_axes=0)) for f in own]
        self.model = MLP(2, [3, 1], activation="tanh", seed=2)
        self.weight, self.leaf = Value(0.0), Value(2.0)
        self.optimizer = optim.SGD([self.weight], lr=1e-6)
        self._step, self._lock = None, threading.Lock()
        self.counted, self.deposits = [], []
        model = MLP(2, [3, 2], activation="tanh", seed=1)
        fit(model, X, Y, loss="cross_entropy", epochs=1, batch_size=8, progress=False, compile=False)
        self.trained = [p.data for p in model.parameters()]

    @property
    def step(self):
        """A step, which the first thread that wants it makes."""
        with self._lock:
            if self._step is None:
                self._step = chainrule.compile_step(lambda: self.weight * -1.0, self.optimizer)
            return self._step

    def check(self):
        """Checks the totals after all threads have ended."""
        count = sum(self.counted)
        close([self.optimizer.steps, self.weight.data], [count, count * 1e-6], "the steps of all threads")
        close(self.leaf.grad, sum(self.deposits), "the gradient of all threads")


def start(seed, seconds, threads):
    """One start, in this process; ends it with status 1 where something is wrong."""
    faulthandler.enable()
    sys.setswitchinterval(1e-6)
    shared, end = Shared(), time.monotonic() + seconds
    workers, failed = [Thread(f"{seed} {i}", shared) for i in range(threads)], threading.Event()
    meeting = threading.Barrier(threads)

    def work(worker):
        try:
            meeting.wait()
            worker.first()
            while time.monotonic() < end and not failed.is_set():
                worker.one()
        except BaseException:
            failed.set()
            print(f"seed {seed}: {worker.doing} failed\n{traceback.format_exc()}", flush=True)

    running = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(seconds + 120)
    if any(thread.is_alive() for thread in running):
        faulthandler.dump_traceback()
        print(f"seed {seed}: threads hang", flush=True)
        failed.set()
    if failed.is_set():
        os._exit(1)
    shared.check()
    done = sum([worker.done for worker in workers], Counter())
    print(f"seed {seed}: {sum(done.values())} deeds, " + ", ".join(f"{n} {name}" for name, n in sorted(done.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each start goes on")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="that of the first start; the next ones count on")
    parser.add_argument("--within", action="store_true", help="do one start in this process")
    given = parser.parse_args()
    if given.within:
        start(given.seed, given.seconds, given.threads)
        return
    failed = 0
    for seed in range(given.seed, given.seed + given.starts):
        command = [sys.executable, __file__, "--within", "--seed", seed, "--seconds", given.seconds]
        with tempfile.TemporaryDirectory() as cache:
            environment = os.environ | {"CHAINRULE_CACHE": cache}
            command += ["--threads", given.threads]
            code = subprocess.run(list(map(str, command)), check=False, env=environment).returncode
        if code:
            failed += 1
            print(f"seed {seed}: ended with status {code}", flush=True)
    print(f"{given.starts - failed} of {given.starts} starts ended well")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
