"""What a simulation on virtual devices needs of Python, without a cluster: frames, the program, who may run it."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

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
