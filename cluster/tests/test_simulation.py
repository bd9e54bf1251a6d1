"""What a simulation on virtual devices needs of Python, without a cluster: frames, the program, who may run it."""

from __future__ import annotations

import io
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import pytest

from starling_cluster import machines
from starling_cluster.config import parse_job
from starling_cluster.errors import BadInput, DeviceUnavailable
from starling_cluster.frames import Frame, read_frame, write_frame
from starling_cluster.node_program import node_version
from starling_cluster.simulation import cluster


def test_frames_come_out_of_a_stream_as_they_went_in() -> None:
    sent = [Frame(b"s", 0, b""), Frame(b"q", 2**32 - 1, bytes(range(256))), Frame(b"a", 1, b"x")]
    stream = io.BytesIO()
    for frame in sent:
        write_frame(stream, frame)
    whole = stream.getvalue()
    assert whole[9:18] == b"q\xff\xff\xff\xff\x00\x01\x00\x00"
    stream.seek(0)
    assert [read_frame(stream) for _ in range(4)] == [*sent, None]
    assert read_frame(io.BytesIO(whole[9 : 9 + 100])) is None
    assert read_frame(io.BytesIO(whole[:5])) is None


def script(place: Path, says: str) -> str:
    place.write_text(f"#!/bin/sh\necho {says}\n")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return str(place)


def test_node_is_there_and_new_enough_or_refused_with_the_reason(tmp_path: Path) -> None:
    assert node_version(script(tmp_path / "node", "v20.20.0")) == "20.20.0"
    for says, why in (("v18.19.1", "too old"), ("hello", "no Node")):
        with pytest.raises(DeviceUnavailable, match=why):
            node_version(script(tmp_path / "other", says))
    with pytest.raises(DeviceUnavailable, match="cannot be run"):
        node_version(str(tmp_path / "missing"))


def test_no_cluster_is_started_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert "RAY_ADDRESS" not in os.environ
    with pytest.raises(DeviceUnavailable, match="RAY_ADDRESS"), cluster():
        pass


def test_our_own_engine_simulates_and_does_nothing_else_here() -> None:
    job = {
        **{"id": "one", "kind": "simulate", "framework": "embedded", "model": "model.json", "data": "pack"},
        **{"weightsOut": "w", "metricsOut": "m", "workers": 3, "cpusPerWorker": 2},
        **{"training": {"plan": {}, "fleet": "ideal"}, "dataSets": {"proxy": "/data"}},
    }
    read = parse_job(job)
    assert (read.workers, read.cpus_per_worker, read.training) == (3, 2, {"plan": {}, "fleet": "ideal"})
    with pytest.raises(BadInput, match="framework"):
        parse_job({**job, "kind": "warm-start"})


class RayError(Exception):
    pass


class FakeRay:
    """Of Ray, what asks machines: each task is its node's name, and says what `says` has of that."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, says: dict[str, Any]) -> None:
        self._says = says

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "NodeID": name, "NodeManagerAddress": "10.0.0.1"} for name in self._says]

    def remote(self, _: Any) -> Any:
        return SimpleNamespace(
            options=lambda num_cpus, scheduling_strategy: SimpleNamespace(remote=lambda _: scheduling_strategy)
        )

    def wait(self, references: list[str], num_returns: int, timeout: float) -> tuple[list[str], list[str]]:
        assert num_returns == len(references) and timeout < 60
        hung = [name for name in references if self._says[name] is None]
        return [name for name in references if name not in hung], hung

    def get(self, reference: str) -> Any:
        if isinstance(self._says[reference], RayError):
            raise self._says[reference]
        return {"machine": reference, "node": self._says[reference]}


def test_every_machine_is_named_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay({"one": "20.20.0", "two": None, "three": RayError("it died\nat night")})

    @contextmanager
    def fake() -> Iterator[Any]:
        yield ray

    monkeypatch.setattr(machines, "cluster", fake)
    strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node_id, soft: node_id)
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    one, two, three = machines.examine_all()  # two raylets of one address are two machines
    assert one == {"machine": "one", "node": "20.20.0"}
    assert two == {"machine": "10.0.0.1", "node": None, "reason": "It did not answer in 25 s."}
    assert three["reason"] == "It did not answer: it died"
