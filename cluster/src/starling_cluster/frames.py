"""Messages between the processes of a simulation: a byte that names their kind, a worker's number and the body's length
(uint32, little-endian), the body. The kinds, and the same in TypeScript: simulator/src/ray/frames.ts.
"""

from __future__ import annotations

import struct
from typing import IO, NamedTuple

_HEADER = struct.Struct("<cII")


class Frame(NamedTuple):
    kind: bytes
    worker: int
    body: bytes


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    stream.write(_HEADER.pack(frame.kind, frame.worker, len(frame.body)))
    stream.write(frame.body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """The next frame; None where the stream ends, also within one."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    kind, worker, length = _HEADER.unpack(header)
    body = stream.read(length)
    return Frame(kind, worker, body) if len(body) == length else None
