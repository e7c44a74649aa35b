"""States that do not fit: they are refused with the reason, and the previous one is taken."""

import json
import os

import keras
import numpy as np
import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import EpochResult
from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.training.checkpoint import Checkpoint

CODE = CodeState("c" * 40, False)

STEPS = 10  # of an epoch


def variables(value: float = 0.0) -> list[keras.Variable]:
    return [
        keras.Variable(np.full((2, 3), value, np.float32)),
        keras.Variable(np.full(2, 1, np.uint32), dtype="uint32"),
    ]


@pytest.fixture
def saved(tmp_path):
    """Two states, the earlier one after an epoch, the later one after two."""
    checkpoint = Checkpoint(tmp_path, {"seed": 1}, CODE)
    for epoch in (1, 2):
        checkpoint.state.end_epoch(EpochResult(epoch, 0.5, 10.0, 0.1, 3.0))
        checkpoint.save(variables(epoch))
    return tmp_path


def change(path, **arrays):
    with np.load(path) as file:
        np.savez(path, **{**file, **arrays})


def metadata(path, **changes):
    with np.load(path) as file:
        content = json.loads(file["metadata"].tobytes())
    content["state"].update(changes)
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


@pytest.mark.parametrize("value", [np.nan, -np.nan])
def test_a_state_with_nan_is_refused_and_the_previous_one_taken(saved, value, capsys):
    weights = np.zeros((2, 3), np.float32)
    weights[1, 2] = value
    change(saved / "state.npz", variable0=weights)
    checkpoint, restored = Checkpoint(saved, {"seed": 1}, CODE), variables()
    checkpoint.restore(restored, STEPS)
    assert checkpoint.state.epoch == 2 and float(restored[0][0, 0]) == 1
    assert "a variable in it is NaN" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": -1}, "expected `int` >= 0, got -1 - at `$.metadata.state.step`"),
        ({"step": 3}, "do not fit 3 steps"),
        ({"history": []}, ""),
        ({"history": [{"epoch": 7, "loss": 1, "error": 1, "learning_rate": 1, "seconds": 1}]}, "follow one another"),
        ({"sums": {"loss": 1, "errors": 3, "images": 2, "seconds": 1}, "step": 1}, "do not fit 1 steps"),
        ({"unknown": 1}, "unknown field - at `$.metadata.state.unknown`"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(saved, changes, message):
    change(saved / "state.npz", metadata=metadata(saved / "state.npz", **changes))
    if not message:
        Checkpoint.read(saved / "state.npz", "remove it")
        return
    with pytest.raises(UsageError) as refused:
        Checkpoint.read(saved / "state.npz", "remove it")
    assert "state.npz" in str(refused.value) and message in str(refused.value)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_a_state_with_infinite_weights_is_refused(saved, value, capsys):
    weights = np.zeros((2, 3), np.float32)
    weights[1, 2] = value
    change(saved / "state.npz", variable0=weights)
    checkpoint, restored = Checkpoint(saved, {"seed": 1}, CODE), variables()
    checkpoint.restore(restored, STEPS)
    assert checkpoint.state.epoch == 2 and float(restored[0][0, 0]) == 1, "the previous state is taken"
    assert f"{restored[0].path} in it is infinite" in capsys.readouterr().out
    change(saved / "state-before.npz", variable0=weights)
    with pytest.raises(UsageError, match=rf"state\.npz cannot be read: .* is infinite; remove {saved}"):
        Checkpoint(saved, {"seed": 1}, CODE).restore(variables(), STEPS)


def test_infinite_moments_are_restored(saved):
    moments = np.full((2, 3), np.inf, np.float32)
    change(saved / "state.npz", variable0=moments)
    restored = variables()
    restored[0].trainable = False
    Checkpoint(saved, {"seed": 1}, CODE).restore(restored, STEPS)
    np.testing.assert_array_equal(restored[0], moments)


@pytest.mark.parametrize(("step", "taken"), [(STEPS, 3), (STEPS + 1, 2)])
def test_a_state_after_more_steps_than_an_epoch_has_is_refused(saved, step, taken, capsys):
    sums = {"loss": 1.0, "errors": 1, "images": 32 * step, "seconds": 1.0}
    change(saved / "state.npz", metadata=metadata(saved / "state.npz", step=step, sums=sums))
    checkpoint = Checkpoint(saved, {"seed": 1}, CODE)
    checkpoint.restore(variables(), STEPS)
    assert checkpoint.state.epoch == taken
    message = f"it is after step {step} of an epoch, which has {STEPS} steps"
    assert (message in capsys.readouterr().out) == (step > STEPS)


def test_a_pipe_in_place_of_a_state_is_not_waited_for(saved):
    (saved / "state.npz").unlink()
    (saved / "state-before.npz").unlink()
    os.mkfifo(saved / "state.npz")
    with pytest.raises(UsageError, match=r"state.npz is not a regular file"):
        Checkpoint(saved, {"seed": 1}, CODE).restore(variables(), STEPS)
