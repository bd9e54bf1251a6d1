"""When a job has to end before it is done: SIGTERM, a parent that is gone, a limit of time.

Whoever trains asks `check` between steps, and can write a checkpoint before it goes. Where a step takes longer than the
grace, a thread ends the process: the newest checkpoint is then what is left.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from types import FrameType
from typing import Callable, Iterator

from .errors import JobCancelled, JobError, LimitReached

PARENT_VARIABLE = "STARLING_PARENT"
"""For workers: the process to live with, where it is not the direct parent."""

_GRACE_SECONDS = 1.5
_POLL_SECONDS = 0.25


class Stopping:
    def __init__(self, wall_seconds: float, report: Callable[[JobError], None]) -> None:
        self._report = report
        self._reason: JobError | None = None
        self._deadline = time.monotonic() + wall_seconds
        self._wall_seconds = wall_seconds
        self._watched = int(os.environ.get(PARENT_VARIABLE, "0"))
        self._parent = os.getppid()
        self._finished = threading.Event()

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Listens as long as the work goes on. In the main thread."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        threading.Thread(target=self._poll, daemon=True).start()
        try:
            yield
        finally:
            self._finished.set()

    def check(self) -> None:
        """Raises JobCancelled or LimitReached when it is time to go."""
        self._look()
        if self._reason is not None:
            raise self._reason

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._reason = self._reason or JobCancelled(f"The job was ended by {signal.Signals(number).name}.")

    def _look(self) -> None:
        if self._reason is not None:
            return
        if os.getppid() != self._parent or (self._watched and not is_alive(self._watched)):
            self._reason = JobCancelled("The process that started the job is gone.")
        elif time.monotonic() > self._deadline:
            seconds = f"{self._wall_seconds:g}"
            self._reason = LimitReached("limit-wall", f"The job ran longer than {seconds} seconds, its limit.")

    def _poll(self) -> None:
        since = math.inf
        while not self._finished.wait(_POLL_SECONDS):
            self._look()
            if self._reason is None:
                continue
            since = min(since, time.monotonic())
            if time.monotonic() - since > _GRACE_SECONDS - _POLL_SECONDS:
                self._report(self._reason)
                os._exit(self._reason.exit_status)


def is_alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
