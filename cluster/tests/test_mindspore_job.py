"""Jobs on MindSpore. Run with a Python that has it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from packs import ADAPTATION, FEDAVG, META, POOLED, Bench

pytest.importorskip("mindspore", reason="MindSpore is not installed for this Python")

SHORT = {**POOLED, "epochs": 4}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, "mindspore")


def test_a_warm_start_learns_and_goes_on_where_it_was(bench: Bench) -> None:
    assert bench.run(SHORT)[0] == 0
    whole = bench.weights()
    assert bench.metrics["after"]["loss"] < bench.metrics["before"]["loss"] / 2
    shutil.rmtree(bench.folder / "checkpoints")
    config = bench.config({**SHORT, "checkpointEvery": 5})
    process = bench.start(config)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("step", 0) >= 6:
            break
    process.kill()
    process.communicate()
    out, log = bench.start(config).communicate(timeout=240)
    assert "resumedAt" in json.loads(out.splitlines()[0]), log
    assert np.array_equal(bench.weights(), whole)


def test_rounds_and_their_evaluation(bench: Bench) -> None:
    evaluation = {"users": ["person5"], "everyRounds": 2, **ADAPTATION}
    training = {**FEDAVG, "epochs": 1, "rounds": 2, "cohort": {"goal": 2}, "evaluation": evaluation}
    assert bench.run(training, kind="simulate")[0] == 0
    assert bench.metrics["evaluations"][0]["users"] == 1


def test_second_order_is_refused(bench: Bench) -> None:
    status, lines = bench.run(META)
    assert (status, lines[-1]["code"]) == (2, "framework-second-order")


def test_two_workers_by_msrun_come_to_what_one_comes_to(bench: Bench) -> None:
    assert bench.run(SHORT)[0] == 0
    alone = bench.weights()
    shutil.rmtree(bench.folder / "checkpoints")
    assert bench.run(SHORT, workers=2)[0] == 0
    assert bench.metrics["workers"] == 2
    np.testing.assert_allclose(bench.weights(), alone, rtol=0, atol=1e-4)


@pytest.mark.parametrize("device", ["gpu", "npu"])
def test_a_device_that_is_not_there_is_not_replaced(bench: Bench, device: str) -> None:
    status, lines = bench.run(SHORT, device=device, workers=16)
    assert (status, lines[-1]["code"]) == (3, "device-unavailable")
