"""What the TypeScript engine says, written once a session by cluster/scripts/parity.mjs."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from starling_cluster import Document, parse_document
from starling_cluster.fedpack import Examples
from starling_cluster.formula import input_values
from starling_cluster.layout import Flat, Layout, layout_of
from starling_cluster.safetensors import read_safetensors
from starling_cluster.weights import read_weights

ROOT = Path(__file__).resolve().parents[2]
ZOO = ("har-mlp", "sensor-cnn", "femnist-cnn", "char-lstm", "tiny-gpt", "conv4")


@dataclass(frozen=True)
class Case:
    """One folder that the script wrote."""

    folder: Path

    @property
    def document(self) -> Document:
        return parse_document(json.loads((self.folder / "model.json").read_text()))

    @property
    def facts(self) -> Any:
        return json.loads((self.folder / "facts.json").read_text())

    def layout(self, learned_rates: bool = False) -> Layout:
        return layout_of(self.document, learned_rates)

    def weights(self, file: str, learned_rates: bool = False) -> Flat:
        return read_weights(self.layout(learned_rates), (self.folder / f"{file}.safetensors").read_bytes())

    def result(self, name: str) -> npt.NDArray[np.float32]:
        return read_safetensors((self.folder / "results.safetensors").read_bytes())[0][name]

    def rows(self, name: str, count: int, recording: list[int] | None = None) -> Examples:
        return rows_by_formula(self.document, name, count, recording)


@dataclass(frozen=True)
class Parity:
    folder: Path

    def case(self, name: str) -> Case:
        return Case(self.folder / name)

    def names(self, group: str) -> list[str]:
        return sorted(f"{group}/{path.name}" for path in (self.folder / group).iterdir())


@pytest.fixture(scope="session")
def parity(tmp_path_factory: pytest.TempPathFactory) -> Parity:
    node = shutil.which("node")
    assert node is not None, "Node.js is needed: the tests hold Python against the TypeScript engine."
    folder = tmp_path_factory.mktemp("parity")
    subprocess.run([node, str(ROOT / "cluster/scripts/parity.mjs"), str(folder)], check=True)
    return Parity(folder)


def rows_by_formula(document: Document, name: str, count: int, recording: list[int] | None = None) -> Examples:
    x = input_values(f"{name}/x", document.features, count)
    binary = document.loss["op"] == "binaryCrossEntropy"
    return Examples(
        x if document.takes_tokens else x.astype(np.float32),
        input_values(f"{name}/y", document.label, count, binary),
        None if recording is None else np.asarray(recording, dtype=np.int64),
    )


def relative_fault(layout: Layout, found: Flat, wanted: Flat) -> float:
    """The largest difference, of each tensor by its largest magnitude."""
    faults = [0.0]
    for entry in layout.entries:
        if entry.place.stop <= len(wanted):
            a, b = found[entry.place].astype(np.float64), wanted[entry.place].astype(np.float64)
            largest = np.abs(b).max()
            faults.append(float(np.abs(a - b).max() / largest) if largest > 0 else float(np.abs(a).max()))
    return max(faults)


def expect_same_course(found: Flat, wanted: Flat, bound: float) -> None:
    """Where a course of training ends: |difference| <= bound (1 + |w|) for every weight, and for the vector as a whole."""
    a, b = found.astype(np.float64), wanted.astype(np.float64)
    assert (np.abs(a - b) <= bound * (1 + np.abs(b))).all()
    assert np.linalg.norm(a - b) <= bound * np.linalg.norm(b)
