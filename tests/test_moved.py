"""What users import, and what earlier versions wrote, has stayed when modules moved to other folders.

The files in `before_the_move/` were written by the version before its modules moved: pickles, a model and a checkpoint.
"""

from __future__ import annotations

import importlib
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule import Value, nn, ops
from chainrule.training import Checkpoint

WRITTEN = Path(__file__).with_name("before_the_move")

PUBLIC = {
    "chainrule.check": ["GradientReport", "central_difference", "check_gradients", "check_operation"],
    "chainrule.data": ["circles", "moons", "spiral", "split", "toy_set", "xor"],
    "chainrule.draw": ["draw", "repr_html", "repr_svg"],
    "chainrule.engine": ["Value", "is_compiled", "topological_order"],
    "chainrule.errors": ["ChainruleError", "OperandError", "StaleGradientWarning"],
    "chainrule.explain": ["Explanation", "explain"],
    "chainrule.expression": ["Expression", "parse", "parse_assignments"],
    "chainrule.losses": ["binary_cross_entropy", "mean_squared_error"],
    "chainrule.nn": ["MLP", "Layer", "Module", "Neuron", "softmax"],
    "chainrule.notation": ["call", "formula", "short"],
    "chainrule.operation": ["TABLE", "Operation", "ieee", "operation"],
    "chainrule.ops": ["exp", "tanh", "weighted_sum"],
    "chainrule.optim": ["SGD", "Adam", "AdamW", "Optimizer"],
    "chainrule.plots": ["plot_boundary", "plot_history", "training_picture"],
    "chainrule.saving": ["load", "load_file", "save"],
    "chainrule.training": ["Checkpoint", "EarlyStopping", "History", "fit"],
    "chainrule.transforms": ["grad", "hessian", "jacobian", "jvp", "value_and_grad", "vjp"],
    "chainrule.compiler.compiled": ["compile"],
    "chainrule.compiler.steps.step": ["compile_step"],
}

IN_PICKLES = {
    "chainrule.differences": ["Estimate"],
    "chainrule.gradient_report": ["GradientReport"],
    "chainrule.grammar": ["Program"],
    "chainrule.operation": ["find"],
    "chainrule.pickling": ["_restore", "_restore_graph"],
}


def written(name):
    return pickle.loads((WRITTEN / f"{name}.pickle").read_bytes())


@pytest.mark.parametrize("module", PUBLIC)
def test_what_users_import_stays(module):
    if module == "chainrule.plots":
        pytest.importorskip("matplotlib")
    if module.startswith("chainrule.compiler"):
        pytest.importorskip("llvmlite")
    assert not [name for name in PUBLIC[module] if not hasattr(importlib.import_module(module), name)]


@pytest.mark.parametrize("module", IN_PICKLES)
def test_the_names_in_pickles_stay(module):
    assert not [name for name in IN_PICKLES[module] if not hasattr(importlib.import_module(module), name)]


def test_a_module_that_moved_is_the_same_by_both_names():
    code = (
        "import chainrule.notation as old, chainrule; from chainrule.explain import notation as new; print(old is new)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    assert chainrule.notation is sys.modules["chainrule.explain.notation"]
    assert chainrule.operation is chainrule.core.operation.operation  # the decorator, as ever


def test_graphs_are_read():
    x, w = Value(2.0, label="x"), Value(0.25, label="w")
    y = chainrule.tanh(x * w + 1) * x
    y.backward()
    same = written("graph")
    assert (same.data, same.label, same.op) == (y.data, "y", ops.mul)
    leaves = {node.label: node for node in chainrule.topological_order(same) if node.is_leaf() and node.label}
    assert {label: leaf.grad for label, leaf in leaves.items()} == {"x": x.grad, "w": w.grad}
    same.backward()
    assert leaves["w"].grad == 2 * w.grad
    assert (written("leaf").data, written("leaf").grad) == (x.data, x.grad)
    assert written("operation") is ops.tanh
    assert written("expression").text == "tanh(x*w)"
    assert len(written("explanation").steps) == len(chainrule.explain(y).steps)
    assert str(written("report")) == str(chainrule.check_gradients(lambda a, b: a * b, [2.0, 3.0]))


def training(checkpoint, epochs):
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    X, y = chainrule.data.moons(n=20, noise=0.0, seed=1)
    told = {"loss": "binary_cross_entropy", "epochs": epochs, "seed": 0, "compile": False, "progress": False}
    return model, chainrule.fit(model, X, y, checkpoint=checkpoint, **told)


def test_models_histories_and_checkpoints_are_read(tmp_path):
    model, history = training(None, 2)
    assert written("model").state_dict() == model.state_dict()
    assert written("history").rows == history.rows
    assert chainrule.load(WRITTEN / "model.json").state_dict() == model.state_dict()
    shutil.copy(WRITTEN / "checkpoint.json", tmp_path)
    resumed, _ = training(Checkpoint(tmp_path / "checkpoint.json", resume=True), 3)
    whole, _ = training(None, 3)
    assert resumed.state_dict() == whole.state_dict()
