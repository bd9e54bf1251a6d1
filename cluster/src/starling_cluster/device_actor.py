"""A worker of a simulation: an actor of Ray that keeps one process of Node alive, and passes questions on to it."""

from __future__ import annotations

import subprocess
import tempfile
from typing import IO, Any

from .frames import Frame, read_frame, write_frame
from .node_program import program


class WorkerEnded(Exception):
    """The process is gone, and with it what it had added up. The message is its last words."""


class DeviceActor:
    """Objects come within lists: Ray would resolve, and copy, a bare one at every call."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._round = 0

    def begin(self, order: list[Any]) -> bytes:
        """Starts the process, and gives what it says of itself. Raises DeviceUnavailable, WorkerEnded."""
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            program("work"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        return self._asked(_frames(b"s", order))

    def ask(self, number: int, begin: list[Any], question: bytes) -> bytes:
        """Answers a question of round `number`, which is begun first where it was not yet. Raises WorkerEnded."""
        frames = [] if number == self._round else _frames(b"r", begin)
        self._round = number
        return self._asked([*frames, Frame(b"q", 0, question)])

    def _asked(self, frames: list[Frame]) -> bytes:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        answer = None
        try:
            for frame in frames:
                write_frame(self._process.stdin, frame)
            answer = read_frame(self._process.stdout)
        except BrokenPipeError:
            pass
        if answer is None:
            raise WorkerEnded(self._last_words())
        return answer.body

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace")


def _frames(kind: bytes, references: list[Any]) -> list[Frame]:
    import ray

    return [Frame(kind, 0, body) for body in ray.get(references)]
