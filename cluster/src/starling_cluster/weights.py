"""A flat vector as a weights file and back: the twin of protocol/src/weights.ts."""

from __future__ import annotations

import numpy as np

from .errors import BadInput
from .layout import Flat, Layout
from .safetensors import read_safetensors, write_safetensors


def write_weights(layout: Layout, values: Flat) -> bytes:
    """One F32 tensor for each entry of the layout."""
    return write_safetensors({e.name: values[e.place].reshape(e.shape) for e in layout.entries})


def read_weights(layout: Layout, data: bytes) -> Flat:
    """Raises BadInput when a tensor is missing, additional, of another dtype or shape, or not finite."""
    tensors, _ = read_safetensors(data)
    values = np.zeros(layout.size, dtype=np.float32)
    for entry in layout.entries:
        tensor = tensors.pop(entry.name, None)
        if tensor is None:
            raise _mismatch(f'lacks the tensor "{entry.name}"')
        if tensor.dtype != np.float32 or tensor.shape != entry.shape:
            found = f"{tensor.dtype} {list(tensor.shape)}"
            raise _mismatch(f'has "{entry.name}" as {found}; the model wants float32 {list(entry.shape)}')
        values[entry.place] = tensor.ravel()
    if tensors:
        raise _mismatch(f"holds tensors that the model does not have: {', '.join(sorted(tensors))}")
    if not np.isfinite(values).all():
        raise _mismatch("holds NaN or infinity")
    return values


def names_of(data: bytes) -> set[str]:
    """Names of the tensors of a file."""
    return set(read_safetensors(data)[0])


def _mismatch(what: str) -> BadInput:
    return BadInput("weights-mismatch", f"The weights file {what}.")
