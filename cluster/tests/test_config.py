"""What a configuration may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packs import ADAPTATION, FEDAVG, META, POOLED, Bench

from starling_cluster.config import parse_job
from starling_cluster.errors import BadInput


@pytest.fixture
def job(tmp_path: Path) -> Any:
    return json.loads(Bench(tmp_path).config(dict(POOLED)).read_text())


@pytest.mark.parametrize("training", [POOLED, META, FEDAVG], ids=["pooled", "meta", "fedavg"])
def test_what_the_plan_says_is_understood(job: Any, training: Any) -> None:
    found = parse_job({**job, "training": training})
    assert {key: found.training[key] for key in training if key != "optimiser"} == {
        key: value for key, value in training.items() if key != "optimiser"
    }
    assert found.training["optimiser"].items() >= training["optimiser"].items()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "aggregate"}, "kind"),
        ({"framework": "jax"}, "framework"),
        ({"device": "tpu"}, "device"),
        ({"workers": 0}, "workers"),
        ({"workers": True}, "workers"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**53}, "seed"),
        ({"weightsOut": None}, "weightsOut"),
        ({"users": []}, "users"),
        ({"limits": {"wallSeconds": float("nan")}}, "wallSeconds"),
        ({"limits": {"cpuSeconds": 1}}, "cpuSeconds"),
        ({"training": {**POOLED, "batchSize": 0}}, "batchSize"),
        ({"training": {**POOLED, "steps": 5}}, "epochs"),
        ({"training": {**POOLED, "optimiser": {"kind": "momentum", "rate": 1}}}, "kind"),
        ({"training": {**POOLED, "optimiser": {"kind": "sgd", "rate": 1, "nesterov": True}}}, "nesterov"),
        ({"training": {**META, "optimiser": {"kind": "adamw", "rate": 1}}}, "kind"),
        ({"training": {**META, "supportShares": [0.6]}}, "supportShares"),
        ({"training": {**META, "innerSteps": 21}}, "innerSteps"),
        ({"training": {**META, "rate": 1}}, "rate"),
        ({"kind": "simulate", "training": POOLED}, "algorithm"),
        ({"kind": "evaluate", "training": ADAPTATION}, "weightsIn"),
        ({"kind": "distil"}, "teacher"),
        ({"entrypoint": "rm -rf /"}, "entrypoint"),
        ({"training": None}, "training"),
    ],
)
def test_what_is_wrong_is_named(job: Any, change: Any, named: str) -> None:
    with pytest.raises(BadInput, match=named) as found:
        parse_job({**job, **change})
    assert found.value.code.startswith("config-")


@pytest.mark.parametrize("value", [None, [], "job", 3])
def test_only_an_object_is_a_configuration(value: Any) -> None:
    with pytest.raises(BadInput, match="object"):
        parse_job(value)
