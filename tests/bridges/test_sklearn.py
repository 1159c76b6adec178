"""Networks as scikit-learn's estimators."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

import chainrule
from chainrule import errors

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")
sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402 (after a look whether it is there)
from sklearn.datasets import make_classification, make_regression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_predict  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from chainrule.bridges import sklearn as bridge  # noqa: E402
from chainrule.bridges.sklearn import ChainruleClassifier, ChainruleRegressor  # noqa: E402

CHECK = """
import sys, warnings
warnings.simplefilter("ignore")
from sklearn.utils.estimator_checks import check_estimator
from chainrule.bridges import sklearn
done = check_estimator(getattr(sklearn, sys.argv[1])(), on_fail="raise", on_skip=None)
print(len(done), sorted({(one["status"], one["check_name"]) for one in done if one["status"] != "passed"}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ChainruleClassifier", "ChainruleRegressor"])
def test_every_check_of_scikit_learn_passes(name):
    """In a process of its own, since one check needs its variable before SciPy is imported."""
    pytest.importorskip("pandas")  # or some checks are skipped
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHECK, name], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    count, others = done.stdout.split(maxsplit=1)
    assert int(count) > 40
    assert others.strip() == "[]"


def points(classes=2, n=120, seed=0):
    X, y = make_classification(
        n,
        4,
        n_informative=3,
        n_redundant=0,
        n_classes=classes,
        n_clusters_per_class=1,
        class_sep=2.0,
        random_state=seed,
    )
    return X, np.array(["ant", "bee", "cow"])[y]


SMALL = {"hidden_layer_sizes": (6,), "max_iter": 60, "random_state": 0}


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_belong_to_the_classes(classes):
    X, y = points(classes)
    model = ChainruleClassifier(**SMALL).fit(X, y)
    probabilities = model.predict_proba(X)
    assert model.score(X, y) > 0.9
    assert probabilities.shape == (len(X), classes)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(X)))
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(X)).all()
    scores = model.decision_function(X)
    assert ((scores > 0) == (model.predict(X) == "bee")).all() if classes == 2 else scores.shape == (len(X), 3)


def test_it_goes_through_pipelines_searches_and_clones():
    X, y = points(n=60)
    pipeline = make_pipeline(StandardScaler(), ChainruleClassifier(**SMALL))
    options = {"chainruleclassifier__max_iter": np.array([1, 30]), "chainruleclassifier__alpha": np.array([1e-4])}
    search = GridSearchCV(pipeline, options, cv=2).fit(X, y)
    assert search.best_params_["chainruleclassifier__max_iter"] == 30
    assert search.best_score_ > 0.7
    copy = clone(search.best_estimator_[-1])
    assert not hasattr(copy, "model_")
    assert copy.max_iter == 30
    assert cross_val_predict(pipeline, X, y, cv=2, method="predict_proba").shape == (len(X), 2)


def test_the_same_random_state_gives_the_same_network():
    X, y = make_regression(100, 3, random_state=0)
    y = y / y.std()

    def fitted(state):
        options = {**SMALL, "random_state": state, "early_stopping": True, "batch_size": 16, "max_iter": 5}
        return ChainruleRegressor(**options).fit(X, y).predict(X)

    assert (fitted(1) == fitted(1)).all()
    assert (fitted(1) != fitted(2)).any()
    assert (fitted(np.random.RandomState(1)) == fitted(1)).all()


def test_a_pickle_predicts_the_same(monkeypatch):
    X, y = points(3)
    model = ChainruleClassifier(**SMALL).fit(X, y)
    few = model.predict_proba(X)
    monkeypatch.setattr(bridge, "NATIVE_WORK", 0)
    native = model.predict_proba(X)
    assert native == pytest.approx(few, rel=1e-9)
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.predict_proba(X) == native).all()
    assert (copy.predict_proba(X[:1]) == native[:1]).all()


def test_names_of_columns_are_kept_and_asked_for():
    pandas = pytest.importorskip("pandas")
    X, y = points()
    table = pandas.DataFrame(X, columns=list("abcd"))
    model = ChainruleClassifier(**SMALL).fit(table, y)
    assert list(model.feature_names_in_) == list("abcd")
    assert model.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[list("dcba")])


# ---- weights ---------------------------------------------------------------------------------------------------------


def test_weights_count_like_repetitions():
    X, y = points(3, n=40)
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = ChainruleClassifier(**SMALL).fit(X, y, sample_weight=weights)
    repeated = ChainruleClassifier(**SMALL).fit(X.repeat(weights, axis=0), y.repeat(weights))
    assert weighted.predict_proba(X) == pytest.approx(repeated.predict_proba(X), rel=1e-6)


def test_class_weights_move_the_border():
    rng = np.random.default_rng(0)
    X, y = np.r_[rng.normal(0.0, 1.0, (60, 1)), rng.normal(1.5, 1.0, (10, 1))], np.array(["ant"] * 60 + ["bee"] * 10)

    def bees(class_weight):
        return (ChainruleClassifier(**SMALL, class_weight=class_weight).fit(X, y).predict(X) == "bee").sum()

    assert bees(None) + 5 < bees("balanced")
    assert bees("balanced") == bees({"ant": 70 / (2 * 60), "bee": 70 / (2 * 10)})


# ---- losses ----------------------------------------------------------------------------------------------------------


def quantile_90(prediction, target):
    return 0.9 * chainrule.relu(target - prediction) + 0.1 * chainrule.relu(prediction - target)


def test_a_loss_of_ones_own_is_a_function_of_one_prediction_and_one_target():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (150, 1))
    y = X[:, 0] + rng.exponential(1.0, 150)
    model = ChainruleRegressor((6,), loss=quantile_90, random_state=0, max_iter=300).fit(X, y)
    assert (y <= model.predict(X)).mean() == pytest.approx(0.9, abs=0.04)
    assert clone(model).loss is quantile_90


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_takes_a_loss_of_ones_own(classes):
    def margin(score, target):
        if classes == 2:
            return chainrule.relu(1 - (2 * target - 1) * score)
        right = chainrule.take(score, target)
        return chainrule.sum([chainrule.relu(1 + s - right) for s in score]) - 1

    X, y = points(classes)
    assert ChainruleClassifier(**SMALL, loss=margin).fit(X, y).score(X, y) > 0.9


def test_several_numbers_are_predicted_together():
    X, y = make_regression(80, 3, n_targets=2, random_state=0)
    y = y / y.std(axis=0)
    model = ChainruleRegressor((16,), max_iter=400, random_state=0).fit(X, y)
    assert model.predict(X).shape == (80, 2)
    assert model.score(X, y) > 0.9

    def far(prediction, target):
        return chainrule.sqrt(chainrule.sum_of_squares([p - t for p, t in zip(prediction, target, strict=True)]) + 1e-6)

    assert ChainruleRegressor((16,), max_iter=400, random_state=0, loss=far).fit(X, y).score(X, y) > 0.9


# ---- when it stops ---------------------------------------------------------------------------------------------------


def test_early_stopping_keeps_the_best_epoch_of_held_out_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), rng.normal(size=60)  # there is nothing to learn
    model = ChainruleRegressor((16,), early_stopping=True, validation_fraction=0.5, random_state=0).fit(X, y)
    assert model.n_iter_ < 200
    assert model.history_.stopped == "early stopping"
    best = min(model.history_.validation_loss)
    assert model.history_.validation_loss[-1] > best
    assert len(model.loss_curve_) == model.n_iter_


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "y", "weights", "error", "words"),
    [
        (ChainruleClassifier(loss="cross_entrpy"), [0, 1, 0], None, errors.ArgumentError, "'cross_entropy'?"),
        (ChainruleRegressor(loss="huber"), [0.0, 1.0, 2.0], None, errors.ArgumentError, "a function of one prediction"),
        (ChainruleRegressor(loss=lambda p, t: [p]), [0.0, 1.0, 2.0], None, errors.ArgumentError, "one number for a"),
        (ChainruleClassifier(), [1, 1, 1], None, errors.DataError, "one class only"),
        (ChainruleClassifier(), [0, 1, 1], [0.0, 1.0, 1.0], errors.DataError, "one class only, .* with a weight"),
        (ChainruleRegressor(), [0.0, 1.0, 2.0], [1.0, -1.0, 1.0], errors.DataError, r"weight is -1\.0"),
        (ChainruleRegressor(), [0.0, 1.0, 2.0], [0.0, 0.0, 0.0], ValueError, "zero"),
        (ChainruleRegressor(max_iter=-1), [0.0, 1.0, 2.0], None, errors.ArgumentError, "epochs"),
        (ChainruleRegressor(activation="tahn"), [0.0, 1.0, 2.0], None, errors.ArgumentError, "'tanh'?"),
        (
            ChainruleRegressor(early_stopping=True, validation_fraction=2.0),
            [0.0, 1.0, 2.0],
            None,
            errors.ArgumentError,
            "a share of the rows",
        ),
        (ChainruleRegressor(), [0.0, 1e200, -1e200], None, errors.AnomalyError, "StandardScaler"),
    ],
)
def test_refusals_say_what_to_write(model, y, weights, error, words):
    with pytest.raises(error, match=words):
        model.fit([[0.0], [1.0], [2.0]], y, sample_weight=weights)
