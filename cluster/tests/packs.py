"""A small pack of people that differ, a model for it, and the jobs of the tests."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from conftest import ROOT
from starling_cluster.layout import Flat, layout_of
from starling_cluster.document import read_document
from starling_cluster.weights import read_weights

PEOPLE, ROWS, FEATURES, CLASSES = 6, 30, 8, 3

MODEL: dict[str, Any] = {
    "umir": 1,
    "opset": 1,
    "name": "people",
    "inputs": [
        {"id": "x", "shape": ["B", FEATURES]},
        {"id": "y", "shape": ["B"], "dtype": "i32", "role": "label", "classes": CLASSES},
    ],
    "params": [
        {"id": "mean", "shape": [FEATURES], "init": {"kind": "inputMean"}},
        {"id": "inverse-sd", "shape": [FEATURES], "init": {"kind": "inputInverseSd"}},
        {"id": "w1", "shape": [FEATURES, 12], "init": {"kind": "uniform", "fan": FEATURES}},
        {"id": "b1", "shape": [12], "init": {"kind": "zeros"}},
        {"id": "w2", "shape": [12, CLASSES], "init": {"kind": "uniform", "fan": 12}, "group": "head"},
    ],
    "nodes": [
        {"op": "standardise", "in": ["x", "mean", "inverse-sd"], "out": "z"},
        {"op": "dense", "in": ["z", "w1", "b1"], "out": "h"},
        {"op": "tanh", "in": ["h"], "out": "t"},
        {"op": "dropout", "in": ["t"], "out": "d", "attrs": {"rate": 0.1}},
        {"op": "dense", "in": ["d", "w2"], "out": "logits"},
    ],
    "loss": {"op": "softmaxCrossEntropy", "in": ["logits", "y"]},
    "metrics": ["accuracy", "f1"],
    "optimiser": {"kind": "adam", "rate": 0.02},
}


def write_pack(directory: Path) -> Path:
    """Each person's classes lie around centres of their own, as int16 with a scale."""
    directory.mkdir()
    random = np.random.default_rng(5)
    y = np.tile(np.arange(CLASSES, dtype=np.uint8), PEOPLE * ROWS // CLASSES)
    shared = random.normal(size=(CLASSES, FEATURES))
    own = 0.5 * random.normal(size=(PEOPLE, CLASSES, FEATURES))
    centres = (shared + own)[np.repeat(np.arange(PEOPLE), ROWS), y]
    x = np.round((centres + 0.4 * random.normal(size=centres.shape)) / 0.01).astype(np.int16)
    data = x.tobytes() + bytes(-len(x.tobytes()) % 8)
    start = len(data)
    data += y.tobytes()
    index = {
        "format": "fedpack",
        "version": 1,
        "name": "people",
        "classes": [f"class{i}" for i in range(CLASSES)],
        "arrays": {
            "x": {"dtype": "int16", "shape": list(x.shape), "byteOffset": 0, "byteLength": x.nbytes, "scale": 0.01},
            "y": {"dtype": "uint8", "shape": [len(y)], "byteOffset": start, "byteLength": len(y)},
        },
        "users": [{"id": f"person{i}", "offset": i * ROWS, "count": ROWS} for i in range(PEOPLE)],
        "files": [{"path": "data.bin", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}],
    }
    (directory / "data.bin").write_bytes(data)
    (directory / "index.json").write_text(json.dumps(index))
    return directory


class Bench:
    """A folder in which jobs are run as whoever starts them runs them: a configuration, a process, files."""

    def __init__(self, folder: Path, framework: str = "torch") -> None:
        self.folder, self.framework = folder, framework
        self.pack = write_pack(folder / "pack")
        self.model = folder / "model.json"
        self.model.write_text(json.dumps(MODEL))
        self.out = folder / "out.safetensors"
        self.metrics_file = folder / "metrics.json"

    def config(self, training: dict[str, Any], **more: Any) -> Path:
        job = {
            "id": "job-1",
            "kind": "warm-start",
            "framework": self.framework,
            "model": str(self.model),
            "weightsIn": None,
            "data": str(self.pack),
            "users": None,
            "weightsOut": str(self.out),
            "metricsOut": str(self.metrics_file),
            "checkpoints": str(self.folder / "checkpoints"),
            "workers": 1,
            "device": "cpu",
            "seed": 3,
            "limits": {"wallSeconds": 300},
            "training": training,
            **more,
        }
        path = self.folder / "job.json"
        path.write_text(json.dumps(job))
        return path

    def start(self, config: Path, **environment: str) -> subprocess.Popen[str]:
        python_path = os.pathsep.join([str(ROOT / "cluster/src"), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [sys.executable, "-m", "starling_cluster.job", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": python_path, **environment},
        )

    def run(self, training: dict[str, Any], **more: Any) -> tuple[int, list[Any]]:
        """The exit status, and the lines."""
        process = self.start(self.config(training, **more))
        out, log = process.communicate(timeout=240)
        lines = [json.loads(line) for line in out.splitlines()]
        if process.returncode == 0:
            assert "Traceback" not in log, log
        return process.returncode, lines

    def weights(self, learned_rates: bool = False) -> Flat:
        return read_weights(layout_of(read_document(self.model), learned_rates), self.out.read_bytes())

    @property
    def metrics(self) -> Any:
        return json.loads(self.metrics_file.read_text())


POOLED = {"algorithm": "sgd", "epochs": 20, "batchSize": 16, "optimiser": {"kind": "adam", "rate": 0.02}}
META = {
    "algorithm": "meta-sgd",
    "innerSteps": 1,
    "initialRate": 0.1,
    "supportShares": [0.3, 0.5],
    "maxQuery": 64,
    "rounds": 30,
    "cohort": {"goal": 4},
    "optimiser": {"kind": "adam", "rate": 0.02},
}
FEDAVG = {
    "algorithm": "fedavg",
    "epochs": 2,
    "batchSize": 8,
    "rate": 0.1,
    "rounds": 8,
    "cohort": {"goal": 4},
    "optimiser": {"kind": "sgd", "rate": {"from": 1, "to": 0.5}},
}
ADAPTATION = {"supportShares": [0.5], "steps": [1, 5], "rate": 0.1}
