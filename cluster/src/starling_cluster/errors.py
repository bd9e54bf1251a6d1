"""What can end a job: each error has a stable code, and the exit status that tells its sort to whoever started it."""

from __future__ import annotations


class JobError(Exception):
    """A job cannot go on. `code` is for programs, the message for people."""

    exit_status = 1

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadInput(JobError):
    """The configuration, the model, the weights or the data are not usable."""

    exit_status = 2


class DeviceUnavailable(JobError):
    """The device or the framework that was asked for is not here. Nothing else is taken in its place."""

    exit_status = 3

    def __init__(self, message: str) -> None:
        super().__init__("device-unavailable", message)


class LimitReached(JobError):
    """A limit of the job was reached; a checkpoint was written."""

    exit_status = 4


class JobCancelled(JobError):
    """SIGTERM, or the parent is gone; a checkpoint was written."""

    exit_status = 143

    def __init__(self, reason: str) -> None:
        super().__init__("job-cancelled", reason)


class TrainingDiverged(JobError):
    """A loss or a weight is NaN or infinite."""

    def __init__(self, message: str) -> None:
        super().__init__("training-diverged", message)
