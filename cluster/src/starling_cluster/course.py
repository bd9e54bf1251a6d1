"""What every course of training shares: progress, checkpoints, and an end that all workers come to at the same step."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Callable, Protocol

import numpy as np

from .checkpoints import Checkpoint, Checkpoints
from .document import Json
from .engine import Group, State
from .errors import JobError, TrainingDiverged
from .layout import Flat
from .stopping import Stopping

Emit = Callable[[Json], None]
_SECONDS_BETWEEN_LINES = 0.2


class Stateful(Protocol):
    def state(self) -> State: ...


@dataclass
class Course:
    group: Group
    stopping: Stopping
    checkpoints: Checkpoints
    emit: Emit
    every: int
    """Steps from one checkpoint to the next."""
    losses: list[float] = field(default_factory=list)
    """The first and the newest."""
    _line_at: float = 0.0

    def resume(self) -> Checkpoint | None:
        found = self.checkpoints.newest()
        if found is not None and self.group.rank == 0:
            self.emit({"resumedAt": found.step})
        return found

    def after(self, step: int, steps: int, loss: float, optimiser: Stateful, read: Callable[[], Flat]) -> None:
        """Ends a step. `loss`: this worker's part of the mean. Raises what ends the job; a checkpoint is written before."""
        reason = self._reason()
        total, stops = self.group.sum(np.array([loss, float(reason is not None)]))
        if not math.isfinite(total):
            raise TrainingDiverged(f"Step {step} gave the loss {total}; nothing was written.")
        self.losses = [*self.losses[:1], float(total)]
        is_last = step == steps
        if self.group.rank == 0:
            if stops > 0 or is_last or step % self.every == 0:
                self.checkpoints.save(Checkpoint(step, read(), optimiser.state()))
            if is_last or time.monotonic() - self._line_at > _SECONDS_BETWEEN_LINES:
                self._line_at = time.monotonic()
                self.emit({"step": step, "steps": steps, "loss": float(total)})
        if stops > 0 and not is_last:
            raise reason or JobError("job-stopped", "Another worker was told to stop.")

    def _reason(self) -> JobError | None:
        try:
            self.stopping.check()
        except JobError as reason:
            return reason
        return None
