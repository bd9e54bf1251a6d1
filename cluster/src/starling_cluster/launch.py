"""Several workers for one job: torchrun and msrun, on the machine where the job runs.

A command line holds the path of the configuration and nothing else that anyone wrote.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Sequence

from .config import Job
from .document import Json
from .errors import JobError
from .frameworks import expect_installed, framework_for
from .stopping import PARENT_VARIABLE, Stopping, is_alive

PLACE_VARIABLE = "STARLING_WORKERS"
"""A directory between a launcher and its workers: who they are, how far they are, and why they failed."""

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 1.5


def launch(job: Job, config: Path, stopping: Stopping) -> None:
    """Runs the job on its workers and waits for them. Raises JobError, of the first worker that left a reason."""
    if job.device == "cpu":
        expect_installed(job.framework)
    else:
        framework_for(job.framework, job.device, job.workers - 1)
    with tempfile.TemporaryDirectory(prefix="starling-workers-") as name:
        place = Path(name)
        command = _torchrun(job, config) if job.framework == "torch" else _msrun(job, config, place)
        python = str(Path(sys.executable).parent)  # msrun takes the first python on the path
        environment = {
            **os.environ,
            PARENT_VARIABLE: str(os.getpid()),
            PLACE_VARIABLE: name,
            "PATH": f"{python}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        progress = _Progress(place)
        workers = subprocess.Popen(command, env=environment, stdout=sys.stderr.fileno(), start_new_session=True)
        try:
            while workers.poll() is None:
                stopping.check()
                progress.pass_on()
                time.sleep(_POLL_SECONDS)
        finally:
            _end(workers, place)
            progress.pass_on()
        if workers.returncode != 0:
            raise reason_in(place) or JobError("workers-failed", f"The workers ended with {workers.returncode}.")


class _Progress:
    """Passes on the lines of the first worker."""

    def __init__(self, place: Path) -> None:
        self._path = place / "progress"
        self._path.touch()
        self._read = 0

    def pass_on(self) -> None:
        with self._path.open(encoding="utf-8") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole)  # JSON with escapes is ASCII
        print(whole, end="", flush=True)


def enlist() -> None:
    """A worker says that it is there."""
    (_place() / f"worker-{os.getpid()}").touch()


def tell(line: Json) -> None:
    """A worker's progress, for the launcher to pass on."""
    with (_place() / "progress").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def leave_reason(error: JobError) -> None:
    """A worker's reason, for `reason_in`."""
    text = json.dumps({"code": error.code, "message": str(error), "status": error.exit_status})
    (_place() / f"error-{os.getpid()}.json").write_text(text)


def reason_in(directory: Path) -> JobError | None:
    """The earliest reason that a worker left: those after it follow from it."""
    files = sorted(directory.glob("error-*.json"), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        return None
    told = json.loads(files[0].read_text())
    error = JobError(told["code"], told["message"])
    error.exit_status = told["status"]
    return error


def _torchrun(job: Job, config: Path) -> Sequence[str]:
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={job.workers}"]
    return [*run, "-m", "starling_cluster.worker", "--config", str(config)]


def _msrun(job: Job, config: Path, place: Path) -> Sequence[str]:
    counts = [f"--worker_num={job.workers}", f"--local_worker_num={job.workers}"]
    address = ["--master_addr=127.0.0.1", f"--master_port={_free_port()}", "--cluster_time_out=60"]
    run = [
        sys.executable,
        "-m",
        "mindspore.parallel.cluster.run",
        *counts,
        *address,
        f"--log_dir={place}",
        "--join=True",
    ]
    return [*run, "python", "-m", "starling_cluster.worker", "--config", str(config)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _place() -> Path:
    return Path(os.environ[PLACE_VARIABLE])


def _end(launched: subprocess.Popen[bytes], place: Path) -> None:
    """SIGTERM to the workers, on which they write a checkpoint; a moment later no more. msrun gives each a session of its own."""
    workers = [int(path.name.removeprefix("worker-")) for path in place.glob("worker-*") if path.name[7:].isdigit()]
    if launched.poll() is None:
        _signal(workers, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while any(map(is_alive, workers)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    _signal(workers, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(launched.pid, signal.SIGKILL)
    launched.wait()


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
