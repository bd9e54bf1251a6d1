"""Files that come from anywhere: weights, packs, checkpoints."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packs import MODEL, Bench

from starling_cluster import parse_document
from starling_cluster.checkpoints import Checkpoint, Checkpoints
from starling_cluster.errors import BadInput
from starling_cluster.fedpack import Pack
from starling_cluster.initialise import initialise
from starling_cluster.layout import layout_of
from starling_cluster.safetensors import read_safetensors, write_safetensors
from starling_cluster.weights import read_weights, write_weights

ARRAYS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(2), "c": np.zeros((0, 4), dtype=np.int32)}


def file_of(header: Any, values: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def test_wider_types_come_first_then_names() -> None:
    data = write_safetensors(ARRAYS, {"z": "1", "k": "ü"})
    found, metadata = read_safetensors(data)
    assert list(found) == ["a", "b", "c"] and metadata == {"z": "1", "k": "ü"}
    assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)
    assert (8 + struct.unpack_from("<Q", data)[0]) % 8 == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 10) + b"{}",
        file_of([]),
        file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
        file_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
        file_of({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}}, bytes(4)),
        file_of({"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
        file_of({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, bytes(4)),
        file_of({}, bytes(1)),
        file_of({"__metadata__": {"a": 1}}),
        struct.pack("<Q", 15) + b'{"a":1,"a":{} }',
    ],
)
def test_what_is_no_safetensors_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput) as found:
        read_safetensors(data)
    assert found.value.code == "weights-malformed"


def test_damage_is_refused_or_changes_values_alone() -> None:
    data = write_safetensors(ARRAYS, {"k": "v"})
    draw = random.Random(1)
    for _ in range(3000):
        mutant = bytearray(data[: draw.randrange(len(data) + 1)] if draw.random() < 0.2 else data)
        for _ in range(draw.randrange(1, 4)):
            if mutant:
                mutant[draw.randrange(len(mutant))] = draw.randrange(256)
        try:
            found, _ = read_safetensors(bytes(mutant))
        except BadInput:
            continue
        assert sum(a.nbytes for a in found.values()) == sum(a.nbytes for a in ARRAYS.values())


def test_weights_have_to_be_those_of_the_model() -> None:
    document = parse_document(MODEL)
    layout = layout_of(document)
    values = initialise(document, 1)
    data = write_weights(layout, values)
    assert np.array_equal(read_weights(layout, data), values)
    tensors, _ = read_safetensors(data)
    for change in (
        {"w1": tensors["w1"].T.copy()},
        {"w1": tensors["w1"].astype(np.float64)},
        {"w1": np.full_like(tensors["w1"], np.nan)},
        {"more": tensors["w1"]},
    ):
        with pytest.raises(BadInput, match="w1|more|NaN") as found:
            read_weights(layout, write_safetensors({**tensors, **change}))
        assert found.value.code == "weights-mismatch"


def test_a_pack_gives_the_rows_of_a_person(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    document = parse_document(MODEL)
    pack = Pack(bench.pack)
    examples = pack.examples("person2", document)
    assert examples.x.shape == (30, 8) and examples.x.dtype == np.float32
    stored = np.frombuffer((bench.pack / "data.bin").read_bytes(), "<i2", 180 * 8).reshape(180, 8)
    assert np.array_equal(examples.x, (stored[60:90] * 0.01).astype(np.float32))
    assert examples.y.tolist() == [0, 1, 2] * 10


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda index: index.update(version=2), "pack-format"),
        (lambda index: index.pop("users"), "pack-field"),
        (lambda index: index["users"][1].update(offset=0), "pack-user-rows"),
        (lambda index: index["users"][1].update(id="person0"), "pack-user-rows"),
        (lambda index: index["files"][0].update(sha256="0" * 64), "pack-file-digest"),
        (lambda index: index["arrays"]["x"].update(byteOffset=10**9), "pack-array-bounds"),
        (lambda index: index["arrays"]["x"].update(dtype="object"), "pack-field"),
        (lambda index: index["arrays"].pop("y"), "pack-no-labels"),
        (lambda index: index["arrays"].pop("x"), "pack-no-features"),
        (lambda index: index["arrays"]["x"].update(shape=[180, 4, 2]), "pack-shape"),
    ],
)
def test_a_pack_that_does_not_fit_together_is_refused(tmp_path: Path, change: Any, code: str) -> None:
    bench = Bench(tmp_path)
    index = json.loads((bench.pack / "index.json").read_text())
    change(index)
    (bench.pack / "index.json").write_text(json.dumps(index))
    with pytest.raises(BadInput) as found:
        Pack(bench.pack).examples("person1", parse_document(MODEL))
    assert found.value.code == code


def test_the_newest_checkpoint_that_can_be_trusted_is_taken(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c", "job")
    assert checkpoints.newest() is None
    for step in (1, 2, 3):
        state = {"moment": np.full(3, step, dtype=np.float64), "count": np.array(step, dtype=np.float32)}
        checkpoints.save(Checkpoint(step, np.full(4, step, dtype=np.float32), state))
    files = sorted((tmp_path / "c").iterdir())
    assert [path.name for path in files] == ["step-000000000002.safetensors", "step-000000000003.safetensors"]
    newest = checkpoints.newest()
    assert newest is not None and newest.step == 3
    assert newest.state["count"].shape == () and newest.state["moment"].tolist() == [3, 3, 3]
    damaged = bytearray(files[1].read_bytes())
    damaged[-1] ^= 1
    files[1].write_bytes(damaged)
    older = checkpoints.newest()
    assert older is not None and older.step == 2
    files[0].write_bytes(files[0].read_bytes()[:-3])
    assert checkpoints.newest() is None
    assert Checkpoints(tmp_path / "c", "another").newest() is None
