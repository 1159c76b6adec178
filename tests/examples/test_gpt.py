"""The GPT example: its facts, its training, its names; and its loss and gradients against PyTorch's."""

from __future__ import annotations

import math
import random
import runpy
import string
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "gpt.py"
LETTERS, END = string.ascii_lowercase, 26


@pytest.fixture(scope="module")
def gpt(loaded: Callable[[Path], ModuleType]) -> ModuleType:
    return loaded(EXAMPLE)


@pytest.fixture
def model(gpt: ModuleType) -> Any:
    return gpt.GPT(27, random.Random(7))


def tokens(name: str) -> list[int]:
    return [END, *map(LETTERS.index, name), END]


# ---- what it is ----------------------------------------------------------------------------------------------------


def test_it_has_4192_parameters_of_the_stated_spread_in_under_120_lines(model):
    numbers = [p.data for p in model.parameters()]
    assert len(numbers) == 4192
    assert math.sqrt(math.fsum(x * x for x in numbers) / len(numbers)) == pytest.approx(0.08, rel=0.05)
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) < 120


def test_an_untrained_model_knows_next_to_nothing(gpt, model):
    assert gpt.loss_of(model, tokens("emma")).data == pytest.approx(math.log(27), abs=0.2)


def test_a_position_sees_what_came_before_it_and_nothing_after(model):
    """A later token leaves the logits as they are; an earlier one changes them."""

    def logits(name):
        keys, values = [], []
        return [[x.data for x in model.logits(t, i, keys, values)] for i, t in enumerate(tokens(name)[:-1])]

    one, other = logits("emma"), logits("emmy")
    assert one[:4] == other[:4]
    assert one[4] != other[4]
    assert logits("ema")[3] != logits("eea")[3]


def test_gradients_flow_through_earlier_keys_and_values(model):
    """The last token's loss alone reaches the embedding of the first letter, which acts on it by attention only."""
    keys, values = [], []
    last = [model.logits(t, i, keys, values) for i, t in enumerate(tokens("xyz"))][-1]
    last[0].backward()
    embedding = model.token_embedding(LETTERS.index("x"))
    assert all(p.peek_grad() != 0 for p in embedding)


def test_of_a_long_text_only_the_context_counts(gpt, model):
    text = "abcdefghijklmnopqrst"
    assert gpt.loss_of(model, tokens(text)).data == gpt.loss_of(model, tokens(text)[:17]).data


# ---- what it does --------------------------------------------------------------------------------------------------


def test_it_learns_and_is_repeatable(gpt, capsys):
    losses, new = gpt.main(steps=40, seed=3, invented=4)
    assert losses[0] == pytest.approx(math.log(27), abs=0.2)
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert gpt.main(steps=40, seed=3, invented=4) == (losses, new)
    assert "step 40 of 40: mean loss" in capsys.readouterr().out


@pytest.mark.slow
def test_compiled_it_learns_the_same(gpt, monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    compiled = runpy.run_path(str(EXAMPLE.with_name("gpt_compiled.py")))["main"]
    losses, new = gpt.main(steps=12, seed=3, invented=2)
    same, again = compiled(steps=12, seed=3, invented=2, at_once=5)
    assert same == pytest.approx(losses, rel=1e-12)
    assert again == new


def test_at_a_low_temperature_it_writes_the_likeliest_letters(gpt, model):
    """A model whose logits are made by hand: after ⟨·⟩ an o, after o a k, after k the end."""
    after = {END: "o", LETTERS.index("o"): "k", LETTERS.index("k"): ""}
    model.logits = lambda token, position, keys, values: [
        gpt.Value(1.0 if i == (LETTERS.index(after[token]) if after[token] else END) else 0.0) for i in range(27)
    ]
    rng = random.Random(0)
    assert {gpt.invent(model, LETTERS, rng, temperature=0.01) for _ in range(20)} == {"ok"}


def test_the_temperature_is_that_of_the_softmax(gpt, model):
    """Logits of 1 and 0 at temperature 0.5 are odds of e² to 1."""
    model.logits = lambda token, position, keys, values: [
        gpt.Value(1.0 if i == 0 else 0.0 if i == END else -99.0) for i in range(27)
    ]
    rng = random.Random(1)
    ended_at_once = [gpt.invent(model, LETTERS, rng) for _ in range(2000)].count("")
    assert ended_at_once / 2000 == pytest.approx(1 / (1 + math.exp(2)), abs=0.03)  # four standard deviations


def test_a_name_that_does_not_end_stops_at_the_context(gpt, model):
    model.logits = lambda token, position, keys, values: [gpt.Value(99.0 if i == 0 else 0.0) for i in range(27)]
    assert gpt.invent(model, LETTERS, random.Random(0)) == "a" * 16


def test_as_a_program_it_takes_steps_and_a_seed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "--steps", "2", "--seed", "5"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    progress, *new = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert "step 2 of 2" in progress
    assert len(new) == 20
    assert set("".join(new)) <= set(LETTERS)
    assert max(map(len, new)) <= 16


# ---- against PyTorch: all positions at once, with a mask in place of the growing lists -----------------------------


def tensors(torch: ModuleType, model: Any) -> dict[str, Any]:
    tables = {name: getattr(part, "rows", part) for name, part in vars(model).items()}
    numbers = {name: [[p.data for p in row] for row in rows] for name, rows in tables.items() if isinstance(rows, list)}
    return {name: torch.tensor(rows, dtype=torch.float64, requires_grad=True) for name, rows in numbers.items()}


def torch_loss(torch: ModuleType, w: dict[str, Any], name: str) -> Any:
    def norm(x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)

    def heads(x):
        return x.view(n, 4, 4).transpose(0, 1)

    sequence = torch.tensor(tokens(name))
    n = len(sequence) - 1
    x = norm(w["token_embedding"][sequence[:-1]] + w["position_embedding"][:n])
    before = norm(x)
    query, key, value = (heads(before @ w[part].T) for part in ("query", "key", "value"))
    fits = query @ key.transpose(1, 2) / math.sqrt(4)
    unseen = torch.ones(n, n, dtype=torch.bool).triu(1)
    seen = fits.masked_fill(unseen, -math.inf).softmax(-1) @ value
    x = x + seen.transpose(0, 1).reshape(n, 16) @ w["output"].T
    x = x + torch.relu(norm(x) @ w["widen"].T) @ w["narrow"].T
    return torch.nn.functional.cross_entropy(x @ w["unembedding"].T, sequence[1:])


def numbers_of(parameters: Any, what: str) -> list[float]:
    return [number for tensor in parameters.values() for number in getattr(tensor, what).flatten().tolist()]


@pytest.mark.parametrize("name", ["emma", "a", "muhammadibrahim"])
def test_loss_and_gradients_are_pytorchs(gpt, model, name):
    torch = pytest.importorskip("torch")
    w = tensors(torch, model)
    assert sum(tensor.numel() for tensor in w.values()) == 4192
    theirs = torch_loss(torch, w, name)
    theirs.backward()
    ours = gpt.loss_of(model, tokens(name))
    ours.backward()
    assert ours.data == pytest.approx(theirs.item(), abs=1e-10)
    assert [p.peek_grad() for p in model.parameters()] == pytest.approx(numbers_of(w, "grad"), rel=1e-10, abs=1e-10)


def test_training_is_pytorchs(gpt):
    """The program's own losses, from its seed: weights, order of names, Adam and its schedule are all as stated."""
    torch = pytest.importorskip("torch")
    steps, seed = 5, 11
    ours, _ = gpt.main(steps=steps, seed=seed, invented=0)
    rng = random.Random(seed)
    names = gpt.NAMES.read_text(encoding="utf-8").split()
    rng.shuffle(names)
    w = tensors(torch, gpt.GPT(27, rng))
    optimizer = torch.optim.Adam(w.values(), lr=0.01, betas=(0.85, 0.99), eps=1e-8)
    theirs = []
    for step, name in enumerate(names[:steps]):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / steps)
        loss = torch_loss(torch, w, name)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    assert ours == pytest.approx(theirs, rel=1e-9)
