"""safetensors files as the rest of Starling writes and reads them (protocol/src/codec): canonical, every byte accounted for.

u64 header length, JSON header padded with spaces to 8 bytes, values; wider dtypes first, then by name in UTF-8.
"""

from __future__ import annotations

import json
import math
import os
import struct
import tempfile
from pathlib import Path
from typing import Any, Mapping

import numpy as np
import numpy.typing as npt

from .errors import BadInput

Arrays = Mapping[str, npt.NDArray[Any]]

_DTYPES: Mapping[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
_MOST_HEADER_BYTES = 2**20


def write_safetensors(arrays: Arrays, metadata: Mapping[str, str] | None = None) -> bytes:
    """Equal input gives equal bytes: those of `writeSafetensors` in protocol/src/codec."""
    names = {dtype: name for name, dtype in _DTYPES.items()}
    ordered = sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0].encode("utf-8")))
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(sorted(metadata.items()))}
    parts, length = [], 0
    for name, array in ordered:
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": names[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [length, length + len(data)],
        }
        parts.append(data)
        length += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def read_safetensors(data: bytes) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Tensors by name, and the metadata. Raises BadInput `weights-malformed` whatever else the bytes are."""
    if len(data) < 8:
        raise _malformed(f"it has {len(data)} bytes; the header's length alone takes 8")
    (header_length,) = struct.unpack_from("<Q", data)
    if header_length > min(_MOST_HEADER_BYTES, len(data) - 8):
        raise _malformed(f"its header claims {header_length} bytes")
    try:
        header = json.loads(data[8 : 8 + header_length].decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise _malformed("its header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise _malformed("its metadata is no object of texts")
    values = memoryview(data)[8 + header_length :]
    entries = sorted((_entry(name, entry) for name, entry in header.items()), key=lambda e: (e[3], e[4]))
    covered, arrays = 0, {}
    for name, dtype, shape, begin, end in entries:
        if begin != covered or end > len(values):
            raise _malformed(f'"{name}" is at bytes {begin} to {end}, and {covered} of {len(values)} are covered')
        arrays[name] = np.frombuffer(values[begin:end], dtype).reshape(shape)
        covered = end
    if covered != len(values):
        raise _malformed(f"its last {len(values) - covered} bytes belong to no tensor")
    return arrays, metadata


def write_atomically(path: Path, data: bytes) -> None:
    """Whoever reads the path sees the whole file or the one before."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _entry(name: str, entry: Any) -> tuple[str, np.dtype[Any], tuple[int, ...], int, int]:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _malformed(f'"{name}" is not described by dtype, shape and data_offsets')
    dtype = _DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise _malformed(f'"{name}" has the dtype {entry["dtype"]!r}; known are {", ".join(_DTYPES)}')
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _are_whole(shape) or not _are_whole(offsets) or len(offsets) != 2:
        raise _malformed(f'"{name}" has no usable shape or data_offsets')
    if offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise _malformed(f'"{name}" spans {offsets[1] - offsets[0]} bytes, which is not its shape')
    return name, dtype, tuple(shape), offsets[0], offsets[1]


def _are_whole(value: Any) -> bool:
    return isinstance(value, list) and all(type(entry) is int and 0 <= entry < 2**53 for entry in value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _malformed(what: str) -> BadInput:
    return BadInput("weights-malformed", f"The file is not safetensors as it is read here: {what}.")
