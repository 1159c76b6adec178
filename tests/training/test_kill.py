"""`kill -9` at random moments: the file is readable at each of them, and the resumed run ends with the same bits.

Run by hand for more: `python tests/training/test_kill.py 50`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from chainrule.data import moons
from chainrule.nn import MLP
from chainrule.optim import Adam
from chainrule.saving.models import load, read_document, save
from chainrule.training import Checkpoint, EarlyStopping, History, fit
from chainrule.training.checkpoints import CHECKPOINT_FORMAT, CHECKPOINT_VERSION

EPOCHS = 25


def names(folder):
    """Of the files in a folder, hidden ones included."""
    return sorted(file.name for file in folder.iterdir())


def train(checkpoint: Checkpoint | None) -> tuple[MLP, History]:
    """The run that is killed; the model is a new one each time, as in a script that is started again."""
    X, y = moons(n=30, noise=0.2, seed=3)
    model = MLP(2, [6, 1], activation="tanh", seed=1)
    history = fit(
        *(model, X, y), loss="binary_cross_entropy", optimizer=Adam(model.parameters(), 0.02), batch_size=4,
        epochs=EPOCHS, validation=0.3, callbacks=EarlyStopping(patience=EPOCHS), checkpoint=checkpoint,
    )  # fmt: skip
    return model, history


def child(folder: str) -> None:
    print("ready", flush=True)
    model, _ = train(Checkpoint(Path(folder, "checkpoint.json"), resume=True))
    save(model, Path(folder, "model.json"))


def kill_many(kills: int, folder: Path, seed: int = 0) -> tuple[int, set[int]]:
    """Starts the run again and again, and kills it at a random moment each time, until it was killed so many times.

    Returns:
        How many runs came to their end (each is compared with an unbroken one), and the epochs at which kills came.
    """
    unbroken, whole = train(None)
    rng, killed, finished, epochs = random.Random(seed), 0, 0, set()
    while killed < kills or finished == 0:
        process = subprocess.Popen([sys.executable, __file__, "child", str(folder)], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        if killed < kills:
            time.sleep(rng.uniform(0.0, 0.2))
            process.kill()  # SIGKILL: nothing in the process can react to it
        process.stdout.close()
        path = folder / "checkpoint.json"
        if process.wait() == 0:
            finished += 1
            check_end(folder, unbroken, whole)
        else:
            killed += 1
            done = read_document(path, CHECKPOINT_FORMAT, CHECKPOINT_VERSION)["epoch"] if path.exists() else 0
            epochs.add(done)
    return finished, epochs


def check_end(folder: Path, unbroken: MLP, whole: History) -> None:
    """The end of a run that was killed on the way; the next one starts from nothing."""
    model = load(folder / "model.json")
    assert {n: x.hex() for n, x in model.state_dict().items()} == {n: x.hex() for n, x in unbroken.state_dict().items()}
    content = read_document(folder / "checkpoint.json", CHECKPOINT_FORMAT, CHECKPOINT_VERSION)
    assert History.from_dict(content["history"]).rows == whole.rows
    assert [file for file in names(folder) if not file.endswith(".tmp")] == ["checkpoint.json", "model.json"]
    for file in folder.iterdir():
        file.unlink()


def test_kill_9_then_resume_is_an_unbroken_run(tmp_path):
    finished, epochs = kill_many(6, tmp_path)
    assert finished >= 1
    assert len(epochs) > 1  # they came in the middle


if __name__ == "__main__":
    if sys.argv[1] == "child":
        child(sys.argv[2])
    else:
        import tempfile

        with tempfile.TemporaryDirectory() as temporary:
            ends, moments = kill_many(int(sys.argv[1]), Path(temporary))
        print(f"killed {sys.argv[1]} times, after epochs {sorted(moments)}; {ends} ends, each equal to the bit")
