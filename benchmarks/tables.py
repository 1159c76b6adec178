"""`chainrule train` with its defaults beside scikit-learn, in one report: python benchmarks/tables.py

Each table is split in the same way for all, as often as wanted; all learn from the same numbers. See README.md beside
this file.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chainrule.cli.fitting import Recipe
from chainrule.cli.measures import Report, compare, outputs_of
from chainrule.cli.options import DataOptions, NetOptions, TrainingOptions
from chainrule.cli.problem import Problem
from chainrule.data.tables import NumberColumn

CHAINRULE, SAME_SIZE, USUAL_SIZE, LINEAR = "chainrule", "MLP of its size", "MLP(100)", "linear"
BELOW_MLP, BELOW_LINEAR = 0.01, 0.02
"""How far chainrule may be below the better of the two MLPs, and below the linear model, in accuracy or R²."""

Rows = list[list[Any]]


def toy_of_sklearn(name: str) -> tuple[list[str], Rows]:
    """A table that comes with scikit-learn."""
    from sklearn import datasets  # noqa: PLC0415 - only the tables that are asked for are loaded

    bunch = getattr(datasets, f"load_{name}")()
    header = [f"x{i}" for i in range(bunch.data.shape[1])]
    return [*header, "target"], [[*x, y] for x, y in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True)]


def churn() -> tuple[list[str], Rows]:
    """Customers with an id, a name, a date, a price in dollars and a city that says nothing; some leave."""
    rng, rows = random.Random(1), []
    for i in range(1000):
        monthly, calls, plan = rng.gauss(60, 20), rng.randint(0, 6), rng.choice(["basic", "plus", "pro"])
        day = f"{rng.randint(2018, 2023)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        score = -1 + 0.02 * (monthly - 60) + 0.35 * calls - 0.9 * (plan == "pro")
        leaves = "yes" if rng.random() < 1 / (1 + math.exp(-score)) else "no"
        rows.append(
            [10_000 + 7 * i, f"name {i}", day, plan, f"city {rng.randint(1, 40)}", f"${monthly:,.2f}", calls, leaves]
        )
    return ["customer_id", "name", "signup", "plan", "city", "monthly", "calls", "churned"], rows


def unbalanced() -> tuple[list[str], Rows]:
    """Two classes, of which one has a twentieth of the rows: a bowl in two of eight columns, with noise."""
    rng, rows = random.Random(2), []
    for _ in range(2000):
        x = [rng.gauss(0, 1) for _ in range(8)]
        rows.append([*[round(value, 5) for value in x], int(x[0] ** 2 + x[1] ** 2 + rng.gauss(0, 0.5) > 6.0)])
    return [*[f"x{i}" for i in range(8)], "rare"], rows


TABLES: dict[str, Callable[[], tuple[list[str], Rows]]] = {
    "wine": lambda: toy_of_sklearn("wine"),
    "breast cancer": lambda: toy_of_sklearn("breast_cancer"),
    "digits": lambda: toy_of_sklearn("digits"),
    "diabetes": lambda: toy_of_sklearn("diabetes"),
    "churn": churn,
    "unbalanced": unbalanced,
}
REGRESSION = {"diabetes"}


def problem_of(path: Path, name: str, seed: int) -> Problem:
    """A table split by a seed."""
    task = "regression" if name in REGRESSION else None
    return Problem.read(str(path), DataOptions(seed=seed, task=task), TrainingOptions())


def by_chainrule(problem: Problem, seed: int) -> tuple[Report, float, list[int]]:
    """What `chainrule train` gives by default, its seconds, and the sizes of its hidden layers."""
    net = NetOptions()
    recipe, hidden = Recipe(net, TrainingOptions(), seed, quiet=True), net.hidden(len(problem.encoder.inputs))
    start = time.perf_counter()
    model = recipe.model(problem, hidden)
    recipe.fit(model, problem)
    seconds = time.perf_counter() - start
    X = problem.encoder.encode_inputs(problem.table, problem.held_out)
    return compare(problem.encoder, problem.table, outputs_of(model, X), problem.held_out), seconds, hidden


def by_sklearn(problem: Problem, model: Any) -> tuple[Report, float]:
    """What a model of scikit-learn gives that learns from the same numbers, validation rows included."""
    rows = [*problem.train, *problem.validation]
    X, y = problem.encoder.encode(problem.table, rows)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        model.fit(X, y)
    seconds = time.perf_counter() - start
    held_out = problem.encoder.encode_inputs(problem.table, problem.held_out)
    if isinstance(problem.encoder.target, NumberColumn):
        results = model.predict(held_out).tolist()
    else:
        results = [[math.log(max(p, 1e-300)) for p in row] for row in model.predict_proba(held_out).tolist()]
    return compare(problem.encoder, problem.table, results, problem.held_out), seconds


def peers(name: str, hidden: list[int], seed: int) -> dict[str, Any]:
    """The models of scikit-learn, with its defaults but for sizes and seeds."""
    from sklearn import linear_model, neural_network  # noqa: PLC0415

    if name in REGRESSION:
        net, linear = neural_network.MLPRegressor, linear_model.LinearRegression()
    else:
        net, linear = neural_network.MLPClassifier, linear_model.LogisticRegression(max_iter=1000)
    return {
        SAME_SIZE: net(hidden_layer_sizes=tuple(hidden), random_state=seed),
        USUAL_SIZE: net(random_state=seed),
        LINEAR: linear,
    }


def measure(name: str, splits: int, folder: Path) -> dict[str, list[dict[str, float]]]:
    """The measures of all models, for each split."""
    path = write(folder / f"{name.replace(' ', '_')}.csv", *TABLES[name]())
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(splits):
        problem = problem_of(path, name, seed)
        report, seconds, hidden = by_chainrule(problem, seed)
        found.setdefault(CHAINRULE, []).append({**report.numbers, "seconds": seconds})
        for peer, model in peers(name, hidden, seed).items():
            report, seconds = by_sklearn(problem, model)
            found.setdefault(peer, []).append({**report.numbers, "seconds": seconds})
    return found


def write(path: Path, header: list[str], rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def with_error(numbers: list[float], scale: float) -> str:
    """A mean and its standard error."""
    error = statistics.stdev(numbers) / math.sqrt(len(numbers)) if len(numbers) > 1 else math.nan
    return f"{scale * statistics.fmean(numbers):6.2f} ± {scale * error:.2f}"


def show(name: str, found: dict[str, list[dict[str, float]]]) -> bool:
    """Prints the measures of a table; returns whether chainrule is where it should be."""
    chief = "r2" if name in REGRESSION else "accuracy"
    others = ["rmse"] if name in REGRESSION else ["balanced_accuracy", "auc"]
    print(f"\n{name}: {chief} in points, mean ± standard error over {len(found[CHAINRULE])} splits")
    for model, rows in found.items():
        more = "  ".join([f"{other} {statistics.fmean(row[other] for row in rows):.4g}" for other in others])
        seconds = statistics.median(row["seconds"] for row in rows)
        print(f"  {model:16} {with_error([row[chief] for row in rows], 100)}   {more}  {seconds:.2f} s")
    fine = True
    for model, most in ((SAME_SIZE, BELOW_MLP), (USUAL_SIZE, BELOW_MLP), (LINEAR, BELOW_LINEAR)):
        pairs = zip(found[CHAINRULE], found[model], strict=True)
        differences = [own[chief] - other[chief] for own, other in pairs]
        fine &= statistics.fmean(differences) >= -most
        print(f"  chainrule - {model:16} {with_error(differences, 100)}   (at least {-100 * most:.0f})")
    return fine


def speed(rows: int, columns: int, folder: Path) -> None:
    """Prints how long training takes on a large table, beside scikit-learn's MLP of the same size."""
    rng, table = random.Random(3), []
    for _ in range(rows):
        x = [rng.gauss(0, 1) for _ in range(columns)]
        score = sum(x[:5]) + x[5] * x[6]
        table.append([*[round(value, 5) for value in x], int(rng.random() < 1 / (1 + math.exp(-score)))])
    path = write(folder / "large.csv", [*[f"x{i}" for i in range(columns)], "y"], table)
    start = time.perf_counter()
    problem = problem_of(path, "large", 0)
    reading = time.perf_counter() - start
    own, seconds, hidden = by_chainrule(problem, 0)
    other, others = by_sklearn(problem, peers("large", hidden, 0)[SAME_SIZE])
    print(f"\n{rows:,} rows × {columns} columns, hidden layers {hidden}: reading took {reading:.1f} s")
    print(f"  chainrule {seconds:.1f} s, {own.words}")
    print(f"  {SAME_SIZE} {others:.1f} s, {other.words}: chainrule / MLP = {seconds / others:.2f} in time")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares `chainrule train` with scikit-learn on tables.")
    parser.add_argument(
        "--only", nargs="+", metavar="TABLE", choices=[*TABLES, "speed"], help=", ".join([*TABLES, "speed"])
    )
    parser.add_argument("--splits", type=int, default=20, help="how often each table is split; 20 unless told")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures of every split")
    arguments = parser.parse_args()
    wanted, fine, all_found = arguments.only or [*TABLES, "speed"], True, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in TABLES if name in wanted]:
            all_found[name] = measure(name, arguments.splits, Path(folder))
            fine &= show(name, all_found[name])
            sys.stdout.flush()
        if "speed" in wanted:
            speed(20_000, 30, Path(folder))
    if arguments.json:
        arguments.json.write_text(json.dumps(all_found))
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
