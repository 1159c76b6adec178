"""`fit`: the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from chainrule.core.files import FilePath
from chainrule.errors import AnomalyError, ArgumentError, ChainruleError, SavedFileError, shown
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.training.callbacks import Callback, TrainingState
from chainrule.training.checkpoints import Checkpoint
from chainrule.training.engines import choose_engine, read_compile, without_compiling
from chainrule.training.exclusive import exclusively
from chainrule.training.history import History
from chainrule.training.interrupts import CtrlC, Interrupted
from chainrule.training.objective import Loss, Metric, Objective, Penalty, read_objective
from chainrule.training.plan import Plan, probe, read_callbacks, read_checkpoint, read_count, read_model, read_optimizer
from chainrule.training.progress import Display, choose_display
from chainrule.training.samples import divide, read_samples
from chainrule.training.trainer import EagerTrainer, Snapshot, Trainer, some_steps


def fit(  # noqa: PLR0913 (the one entry to training; all but the data are keywords)
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: str | Loss,
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = 16,
    validation: Any = None,
    metrics: Iterable[str | Metric] = (),
    penalty: Penalty = None,
    seed: int = 0,
    callbacks: Callback | Iterable[Callback] = (),
    checkpoint: Checkpoint | FilePath | None = None,
    progress: bool | None = None,
    compile: bool | Literal["auto"] = "auto",
    trainer: Callable[[Module, Objective, Optimizer], Trainer] | None = None,
) -> History:
    """Trains a model.

    Everything that can be refused is refused before the model changes or a file is written. From then on the model
    holds finite numbers after each whole step: if a loss, gradient or parameter becomes infinite or nan, training ends
    with an error that names the operation. Ctrl-C ends training after the present step and restores the parameters of
    the best epoch; a second Ctrl-C raises KeyboardInterrupt at once.

    If the extra "compiler" is installed and there is work for more than about a second, steps and measurements are
    compiled, and many of them run in one native call. `history.engine` says whether, and `history.engine_note` why not.
    Numbers then differ from the eager engine's by rounding. The eager engine does what cannot be compiled, and every
    step in which a number is not finite, so that the error names the operation.

    Args:
        model: the model, which is changed in place.
        X: a list of rows, one for each sample, each a list of finite numbers.
        y: the target of each row: a number, or a list of numbers; for "cross_entropy" the index of the class, for
            "binary_cross_entropy" 0 or 1, for "max_margin" -1 or 1.
        loss: "mean_squared_error", "mean_absolute_error", "max_margin", "binary_cross_entropy", "cross_entropy", or a
            function of (predictions, targets).
        optimizer: an optimiser of some or all of the model's parameters; Adam with lr=0.01 if left out.
        epochs: how many times to go through all rows.
        batch_size: how many rows a step takes; None for all. Batches are drawn anew in each epoch; a batch of all rows
            keeps their order.
        validation: rows that are only measured: a share of the rows (the same share of each class), or a pair (X, y).
        metrics: what to measure beside the loss: "accuracy" (always measured for losses about classes), names of
            losses, functions of (predictions, targets) that take plain numbers.
        penalty: the strength of an L2 penalty on all parameters, or a function that returns what to add to the loss.
        seed: the seed of the batches and of the choice of validation rows.
        callbacks: functions of a `TrainingState`, called after each epoch, such as `EarlyStopping(patience=10)`.
        checkpoint: where and how often to save the progress; see `Checkpoint`.
        progress: whether to show progress; if left out, there is a bar in a notebook, and on a terminal where rich is
            installed.
        compile: "auto", to decide as above; True, to compile or raise an error; False, not to compile. A resumed run
            keeps its engine, unless one is asked for.
        trainer: another implementation of steps; see `Trainer`.

    Returns:
        The history.

    Raises:
        DataError, SizeError, OperandError: X or y is invalid; the message says where.
        ArgumentError: an option is invalid, or another thread trains the same model.
        TraceError, MissingExtraError: `compile` is True, and compiling is impossible.
        SavedFileError: the checkpoint cannot be written, or cannot be resumed.
        AnomalyError: a number became infinite or nan.

    >>> from chainrule.data import xor
    >>> from chainrule.nn import MLP
    >>> from chainrule.optim import Adam
    >>> X, y = xor()
    >>> model = MLP(2, [4, 1], activation="tanh", seed=3)
    >>> history = fit(model, X, y, loss="binary_cross_entropy", optimizer=Adam(model.parameters(), lr=0.1))
    >>> history.stopped, history.accuracy[-1], history.loss[-1] < history.loss[0]
    ('done', 1.0, True)
    """
    read_model(model)
    wanted = read_compile(compile)
    if wanted and trainer:
        raise ArgumentError("compile=True and a trainer of your own exclude each other: give one of them")
    objective = read_objective(model, loss, metrics, penalty)
    optimizer = read_optimizer(model, optimizer)
    samples = read_samples(X, y)
    train, held_out = divide(samples, validation, classes=objective.classes, seed=read_count(seed, "seed", 0))
    rows = len(train) if batch_size is None else read_count(batch_size, "batch_size", 1)
    plan = Plan(
        model=model,
        objective=objective,
        optimizer=optimizer,
        trainer=(trainer or EagerTrainer)(model, objective, optimizer),
        train=train,
        held_out=held_out,
        epochs=read_count(epochs, "epochs", 0),
        batch_size=min(rows, len(train)),
        seed=seed,
        penalty=penalty,
        callbacks=read_callbacks(callbacks),
        checkpoint=read_checkpoint(checkpoint),
        own_trainer=trainer is not None,
    )
    display = choose_display(progress, plan.epochs, plan.batches)
    operands = plan.check()
    with exclusively(model.parameters()):
        return _Run(plan, operands, wanted).train(display)


def evaluate(
    model: Module, X: Any, y: Any, *, loss: str | Loss, metrics: Iterable[str | Metric] = ()
) -> dict[str, float]:
    """Measures a model: its loss, its accuracy if the loss is about classes, and metrics.

    It takes and raises what `fit` does, and changes nothing.

    >>> from chainrule.nn import MLP
    >>> model = MLP(1, [1], init=lambda rng, nin, nout: 2.0)
    >>> evaluate(model, [[1.0], [2.0]], [2.0, 5.0], loss="mean_squared_error")
    {'loss': 0.5}
    """
    objective, samples = read_objective(read_model(model), loss, metrics), read_samples(X, y)
    probe(model, objective, samples)
    return EagerTrainer(model, objective, read_optimizer(model, None)).measure(samples.X, samples.y)


@dataclass(frozen=True)
class _Best:
    """The lowest monitored loss, and the parameters after that epoch."""

    loss: float
    state: dict[str, float]


class _Run:
    """A training run."""

    def __init__(self, plan: Plan, operands: int, compile: bool | None) -> None:
        self.plan, self.operands, self.compile = plan, operands, compile
        self.engine = without_compiling(plan, "")
        self.resumed_engine: str | None = None
        self.before = Snapshot(plan.model.parameters(), plan.optimizer)
        self.rng = Random(plan.seed)
        self.history = History(loss_name=plan.objective.name)
        self.best: _Best | None = None
        self.wants_best = False
        if plan.checkpoint:
            self.settings = plan.settings()
            content = plan.checkpoint.open(self.settings)
            if content is not None:
                self._resume(plan.checkpoint, content)

    def train(self, display: Display) -> History:
        """Does the remaining epochs."""
        with CtrlC() as ctrl_c, display:
            try:
                self._start(display)
                ctrl_c.check()
                while len(self.history) < self.plan.epochs and not self.history.stopped:
                    self._epoch(ctrl_c, display)
                    ctrl_c.check()
                self.history.stopped = self.history.stopped or "done"
            except (Interrupted, KeyboardInterrupt):
                if ctrl_c.pressed > 1:
                    raise
                self.history.stopped, self.wants_best = "interrupted", True
            ctrl_c.hold()
            if self.wants_best and self.best:
                self.plan.model.load_state_dict(self.best.state)
        return self.history

    def _start(self, display: Display) -> None:
        """Chooses the engine, unless nothing is left to do."""
        if len(self.history) < self.plan.epochs and not self.history.stopped:
            try:
                self.engine = choose_engine(self.plan, self.operands, self.compile, self.resumed_engine, display.busy)
            except Exception:
                self.before.restore()
                raise
            display.busy("")
            self._note_engine(display if self.engine.is_shown else None)

    def _note_engine(self, display: Display | None) -> None:
        self.history.engine, self.history.engine_note = self.engine.name, self.engine.note
        if display:
            display.note(self.engine.note)

    def _epoch(self, ctrl_c: CtrlC, display: Display) -> None:
        plan, done, lr = self.plan, len(self.history), self.plan.optimizer.lr
        where = ""
        try:
            batches, i = self._batches(), 0
            while i < len(batches):
                ctrl_c.check()
                where = f"epoch {done + 1}, batch {i + 1}: the model keeps the numbers from before this step"
                i += some_steps(self.engine.trainer, plan.train, batches, i)
                display.step(done * plan.batches + i)
            where = f"when measured after epoch {done + 1}"
            numbers = self._measure()
        except AnomalyError as error:
            raise AnomalyError(f"{error} ({where})") from None
        if self.engine.has_given_up():
            self._note_engine(display)
        self.history.rows.append(numbers | {"lr": lr})
        self._note_best(numbers.get("validation_loss", numbers["loss"]))
        self._call_back()
        self._save()
        display.epoch(self.history)

    def _measure(self) -> dict[str, float]:
        plan, trainer = self.plan, self.engine.trainer
        numbers = trainer.measure(plan.train.X, plan.train.y)
        if plan.held_out:
            held_out = trainer.measure(plan.held_out.X, plan.held_out.y)
            numbers |= {f"validation_{name}": x for name, x in held_out.items()}
        return numbers

    def _batches(self) -> list[list[int]]:
        order, size = list(range(len(self.plan.train))), self.plan.batch_size
        if size < len(order):
            self.rng.shuffle(order)
        return [order[start : start + size] for start in range(0, len(order), size)]

    def _note_best(self, loss: float) -> None:
        if self.best is None or loss < self.best.loss:
            self.best = _Best(loss, self.plan.model.state_dict())

    def _call_back(self) -> None:
        plan = self.plan
        state = TrainingState(plan.model, plan.optimizer, self.history, plan.epochs)
        for callback in plan.callbacks:
            callback(state)
        self.history.stopped, self.wants_best = state.stop_reason, state.wants_best

    # ---- checkpoints ----

    def _save(self) -> None:
        checkpoint, done = self.plan.checkpoint, len(self.history)
        if checkpoint and (self.history.stopped or done == self.plan.epochs or done % checkpoint.every == 0):
            content = {
                "epoch": done,
                "model": self.plan.model.state_dict(),
                "optimizer": self.plan.optimizer.state_dict(),
                "rng": self.rng.getstate(),
                "best": vars(self.best) if self.best else None,
                "wants_best": self.wants_best,
                "history": self.history.to_dict(),
            }
            checkpoint.write(self.settings, content)

    def _resume(self, checkpoint: Checkpoint, content: dict[str, Any]) -> None:
        """Restores a checkpoint; if anything is wrong with it, nothing changes."""
        try:
            self._check_names(content)
            version, words, gauss = content["rng"]
            self.rng.setstate((version, tuple(words), gauss))
            self.history = History.from_dict(content["history"])
            self.resumed_engine = self.history.engine
            self.best = _Best(**content["best"]) if content["best"] else None
            self.wants_best = bool(content["wants_best"])
            self.plan.optimizer.load_state_dict(content["optimizer"])
            self.plan.model.load_state_dict(content["model"])
        except (ChainruleError, LookupError, TypeError, ValueError, AttributeError) as error:
            self.before.restore()
            raise SavedFileError(f"{checkpoint.path} is damaged: {error}") from None
        if len(self.history) > self.plan.epochs:
            self.before.restore()
            done = f"{len(self.history)} epochs are done"
            raise SavedFileError(f"{checkpoint.path} cannot be resumed: {done}, more than epochs={self.plan.epochs}")

    def _check_names(self, content: dict[str, Any]) -> None:
        """Checks that the parts of a checkpoint belong to one run, and to this one."""
        measured = ["loss"] if self.plan.own_trainer else ["loss", *self.plan.objective.metrics]
        names = [*measured, *[f"validation_{name}" for name in measured if self.plan.held_out], "lr"]
        may_add = self.plan.own_trainer or bool(self.plan.callbacks)
        rows = content["history"]["rows"]
        for i, row in enumerate(rows):
            if not row.keys() >= {*names} or (row.keys() > {*names} and not may_add):
                raise SavedFileError(f"history.rows[{i}] has {shown(list(row))}, not {', '.join(names)}")
            if any(row[name] is None for name in row if name in ("loss", "validation_loss", "lr")):
                raise SavedFileError(f"history.rows[{i}] lacks the number of its loss or rate")
        if len(rows) != content["epoch"]:
            raise SavedFileError(f"epoch is {content['epoch']}, but history.rows has {len(rows)}")
        parameters = {name for name, _ in self.plan.model.named_parameters()}
        if bool(rows) != bool(content["best"]) or (content["best"] and set(content["best"]["state"]) != parameters):
            raise SavedFileError("best must have a number for each of the model's parameters")
