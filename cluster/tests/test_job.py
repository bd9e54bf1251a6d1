"""Jobs as whoever starts them sees them: a process, lines on stdout, files, an exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from conftest import ROOT
from packs import ADAPTATION, FEDAVG, META, POOLED, Bench

from starling_cluster.document import read_document
from starling_cluster.initialise import initialise
from starling_cluster.layout import layout_of
from starling_cluster.stopping import is_alive
from starling_cluster.weights import write_weights

pytest.importorskip("torch", reason="torch is not installed for this Python")

LONG = {**POOLED, "epochs": 100_000, "checkpointEvery": 10**9}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def wait_for(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def until_step(process: subprocess.Popen[str], least: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("step", 0) >= least:
            return
    raise AssertionError("the job ended before that step")


def test_a_warm_start_learns_and_tells_how_far_it_is(bench: Bench) -> None:
    status, lines = bench.run(POOLED)
    assert status == 0
    assert lines[-1]["step"] == lines[-1]["steps"] == 240
    metrics = bench.metrics
    assert metrics["before"]["metrics"]["accuracy"] < 0.6 < 0.9 < metrics["after"]["metrics"]["accuracy"]
    assert (metrics["users"], metrics["rows"], metrics["device"], metrics["workers"]) == (6, 180, "cpu", 1)
    assert np.isfinite(bench.weights()).all()


@pytest.mark.parametrize("training", [POOLED, META, FEDAVG], ids=["pooled", "meta", "fedavg"])
def test_weights_without_statistics_get_those_of_the_people_who_teach(bench: Bench, training: Any) -> None:
    document = read_document(bench.model)
    untaught = bench.folder / "untaught.safetensors"
    untaught.write_bytes(write_weights(layout_of(document), initialise(document, 3, None)))
    rates = training is META
    assert bench.run(training)[0] == 0
    wanted = bench.weights(rates)
    shutil.rmtree(bench.folder / "checkpoints")
    assert bench.run(training, weightsIn=str(untaught))[0] == 0
    assert np.array_equal(bench.weights(rates), wanted)
    taught = bench.folder / "taught.safetensors"
    shutil.copy(bench.out, taught)
    shutil.rmtree(bench.folder / "checkpoints")
    assert bench.run(training, weightsIn=str(taught), users=["person0", "person1", "person2", "person3"])[0] == 0
    measured = layout_of(document, rates).range_of("statistic")
    assert np.array_equal(bench.weights(rates)[measured], wanted[measured])


@pytest.mark.parametrize("algorithm", ["meta-sgd", "fedavg"])
def test_the_fleet_starts_from_what_proxy_users_taught(bench: Bench, algorithm: str) -> None:
    status, _ = bench.run(META if algorithm == "meta-sgd" else FEDAVG)
    assert status == 0
    loss = bench.metrics["loss"]
    assert loss["last"] < loss["first"] / 2
    shutil.copy(bench.out, bench.folder / "meta.safetensors")
    rate = "learned" if algorithm == "meta-sgd" else 0.1
    spec = {**ADAPTATION, "rate": rate}
    status, _ = bench.run(spec, kind="evaluate", weightsIn=str(bench.folder / "meta.safetensors"))
    assert status == 0
    before, one, five = bench.metrics["people"]["points"]
    assert [point["steps"] for point in (before, one, five)] == [0, 1, 5]
    assert before["loss"]["mean"] > one["loss"]["mean"] > five["loss"]["mean"]
    assert five["accuracy"]["mean"] >= five["accuracy"]["worstTenth"] > 0.5


def test_a_simulation_judges_people_who_never_trained(bench: Bench) -> None:
    evaluation = {"users": ["person0", "person5"], "everyRounds": 4, **ADAPTATION}
    status, _ = bench.run({**FEDAVG, "evaluation": evaluation}, kind="simulate")
    assert status == 0
    assert bench.metrics["users"] == 4
    assert [found["round"] for found in bench.metrics["evaluations"]] == [4, 8]
    assert all(found["users"] == 2 for found in bench.metrics["evaluations"])


def test_a_student_learns_from_a_teacher_without_labels(bench: Bench) -> None:
    assert bench.run(POOLED)[0] == 0
    shutil.copy(bench.out, bench.folder / "teacher.safetensors")
    shutil.rmtree(bench.folder / "checkpoints")
    teacher = {"model": str(bench.model), "weights": str(bench.folder / "teacher.safetensors")}
    training = {**POOLED, "hardShare": 0, "temperature": 3}
    status, _ = bench.run(training, kind="distil", teacher=teacher, seed=11)
    assert status == 0
    assert bench.metrics["after"]["metrics"]["accuracy"] > 0.9
    assert bench.metrics["loss"]["last"] < bench.metrics["loss"]["first"] / 10


@pytest.mark.parametrize("training", [POOLED, META], ids=["pooled", "meta"])
def test_a_job_that_was_ended_goes_on_to_the_same_weights(bench: Bench, training: Any) -> None:
    assert bench.run(training)[0] == 0
    rates = training is META
    whole = bench.weights(rates)
    bench.out.unlink()
    shutil.rmtree(bench.folder / "checkpoints")
    config = bench.config({**training, "checkpointEvery": 7})
    process = bench.start(config)
    until_step(process, 8)
    process.kill()
    process.communicate()
    wait_for(lambda: any((bench.folder / "checkpoints").iterdir()), "a checkpoint")
    assert not bench.out.exists()
    out, log = bench.start(config).communicate(timeout=240)
    assert "resumedAt" in json.loads(out.splitlines()[0]), log
    assert np.array_equal(bench.weights(rates).view(np.uint32), whole.view(np.uint32))


def test_sigterm_ends_a_job_with_a_checkpoint(bench: Bench) -> None:
    process = bench.start(bench.config(LONG))
    until_step(process, 20)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert json.loads(out.splitlines()[-1])["code"] == "job-cancelled"
    (checkpoint,) = (bench.folder / "checkpoints").iterdir()
    assert int(checkpoint.stem.removeprefix("step-")) >= 20
    assert not bench.out.exists()


def test_the_limit_of_time_is_kept(bench: Bench) -> None:
    status, lines = bench.run(LONG, limits={"wallSeconds": 8})
    assert status == 4
    assert lines[-1]["code"] == "limit-wall"
    assert not bench.metrics_file.exists()


def test_a_job_does_not_outlive_its_parent(bench: Bench) -> None:
    config = bench.config(LONG)
    starter = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'starling_cluster.job', '--config', sys.argv[1]], stdout=sys.stderr)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "cluster/src"), "OMP_NUM_THREADS": "1"}
    parent = subprocess.Popen(
        [sys.executable, "-c", starter, str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert parent.stdout is not None and parent.stderr is not None
    child = int(parent.stdout.readline())
    for line in parent.stderr:
        if '"step"' in line:
            break
    parent.kill()
    parent.wait()
    try:
        wait_for(lambda: not is_running(child), "the end of the child", 20)
    finally:
        parent.stdout.close()
        parent.stderr.close()
    assert any((bench.folder / "checkpoints").iterdir())


def is_running(process: int) -> bool:
    """A process that ended and that nobody waited for is a zombie."""
    status = Path(f"/proc/{process}/stat")
    return is_alive(process) and status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"device": "gpu", "workers": 1000}, 3, "device-unavailable"),
        ({"device": "npu"}, 3, "device-unavailable"),
        ({"framework": "mindspore", "device": "npu"}, 3, "device-unavailable"),
        ({"model": "/nowhere/model.json"}, 2, "model-unreadable"),
        ({"data": "/nowhere"}, 2, "pack-missing"),
        ({"users": ["nobody"]}, 2, "pack-unknown-user"),
        ({"weightsIn": "/nowhere.safetensors"}, 2, "weights-unreadable"),
        ({"training": {**FEDAVG, "cohort": {"goal": 7}}}, 2, "config-cohort"),
        ({"training": {**POOLED, "optimiser": {"kind": "sgd", "rate": 1000}}, "seed": 1}, 1, "training-diverged"),
    ],
)
def test_what_cannot_be_done_has_a_name_and_a_status(bench: Bench, more: Any, status: int, code: str) -> None:
    training = more.pop("training", POOLED)
    if code == "training-diverged":
        ir = json.loads(bench.model.read_text())
        ir["loss"] = {"op": "softmaxCrossEntropy", "in": ["logits", "y"]}
        ir["params"][4]["init"] = {"kind": "constant", "value": 3e38}
        bench.model.write_text(json.dumps(ir))
    found, lines = bench.run(training, **more)
    assert (found, lines[-1]["code"]) == (status, code)
    assert not bench.out.exists()


def test_a_command_line_holds_a_path_alone() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "cluster/src")}
    command = [sys.executable, "-m", "starling_cluster.job", "--config", "x", "--seed", "3"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 2


@pytest.mark.parametrize("training", [POOLED, META, FEDAVG], ids=["pooled", "meta", "fedavg"])
def test_two_workers_come_to_what_one_comes_to(bench: Bench, training: Any) -> None:
    rates = training is META
    assert bench.run(training)[0] == 0
    alone = bench.weights(rates)
    shutil.rmtree(bench.folder / "checkpoints")
    status, lines = bench.run(training, workers=2)
    assert status == 0
    assert lines[-1]["step"] == lines[-1]["steps"]
    assert bench.metrics["workers"] == 2
    np.testing.assert_allclose(bench.weights(rates), alone, rtol=0, atol=1e-4)


def test_workers_that_are_told_to_stop_leave_a_checkpoint_and_nobody(bench: Bench) -> None:
    process = bench.start(bench.config(LONG, workers=2))
    until_step(process, 5)
    group = workers_of(process.pid)
    assert len(group) >= 2
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert json.loads(out.splitlines()[-1])["code"] == "job-cancelled"
    assert any((bench.folder / "checkpoints").iterdir())
    wait_for(lambda: not any(map(is_running, group)), "the end of the workers", 20)


def test_the_reason_of_a_worker_is_the_reason_of_the_job(bench: Bench) -> None:
    status, lines = bench.run(POOLED, workers=2, users=["nobody"])
    assert (status, lines[-1]["code"]) == (2, "pack-unknown-user")


def workers_of(process: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        for child in path.read_text().split():
            found += [int(child), *workers_of(int(child))]
    return found
