"""Checkpoints of a job: parameters, the optimiser's state and the number of steps, in one safetensors file each.

A file counts when every byte is accounted for, its digest fits, and it belongs to the same job; the newest that counts is
gone on from. Randomness is drawn by step number, so nothing else has to be kept.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .engine import State
from .errors import BadInput
from .layout import Flat
from .safetensors import Arrays, read_safetensors, write_atomically, write_safetensors

_KEPT = 2
_NAME = re.compile(r"step-(\d{12})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    step: int
    values: Flat
    state: State


class Checkpoints:
    def __init__(self, directory: Path | None, job_digest: str) -> None:
        self._directory = directory
        self._job = job_digest

    def save(self, checkpoint: Checkpoint) -> None:
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        arrays = {
            "values": checkpoint.values,
            **{f"state/{name}": np.atleast_1d(a) for name, a in checkpoint.state.items()},
        }
        shapes = {name: "scalar" for name, a in checkpoint.state.items() if a.ndim == 0}
        metadata = {"job": self._job, "step": str(checkpoint.step), "digest": _digest(arrays), **shapes}
        path = self._directory / f"step-{checkpoint.step:012d}.safetensors"
        write_atomically(path, write_safetensors(arrays, metadata))
        for old in self._files()[_KEPT:]:
            old.unlink(missing_ok=True)

    def newest(self) -> Checkpoint | None:
        """The newest that can be trusted; damaged and foreign files are passed over."""
        for path in self._files():
            try:
                arrays, metadata = read_safetensors(path.read_bytes())
            except (BadInput, OSError):
                continue
            if metadata.get("job") != self._job or metadata.get("digest") != _digest(arrays):
                continue
            state = {name.removeprefix("state/"): a for name, a in arrays.items() if name != "values"}
            scalars = {name: a.reshape(()) for name, a in state.items() if metadata.get(name) == "scalar"}
            return Checkpoint(int(metadata["step"]), arrays["values"].copy(), {**state, **scalars})
        return None

    def _files(self) -> list[Path]:
        """Newest first."""
        if self._directory is None or not self._directory.is_dir():
            return []
        return sorted((p for p in self._directory.iterdir() if _NAME.fullmatch(p.name)), reverse=True)


def _digest(arrays: Arrays) -> str:
    hasher = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        hasher.update(f"{len(name)}:{name}:{array.dtype.str}:{array.shape}".encode())
        hasher.update(array.tobytes())
    return hasher.hexdigest()
