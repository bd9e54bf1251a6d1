"""The entry script of a job: `python -m starling_cluster.job --config job.json`.

Progress comes as JSON lines on stdout. Ends with 0 and the metrics file, or with a line {"code", "message"} and 2 (bad
input), 3 (no such device), 4 (a limit), 143 (SIGTERM, or the parent is gone) or 1 (anything else).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Callable, Sequence

from .config import EMBEDDED, read_job
from .document import Json
from .engine import Alone
from .errors import JobCancelled, JobError
from .frameworks import framework_for
from .launch import launch
from .run import run
from .simulation import simulate_devices
from .stopping import Stopping


def emit(line: Json) -> None:
    """One line for whoever started the job. One that reads no more is noticed elsewhere."""
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report(error: JobError) -> None:
    emit({"code": error.code, "message": str(error)})


def status_of(work: Callable[[], None], tell: Callable[[JobError], None]) -> int:
    """Does some work and gives the exit status that says how it ended."""
    try:
        work()
        return 0
    except JobError as error:
        tell(error)
        return error.exit_status
    except Exception as error:  # whatever a framework throws has to end as a line that can be read
        traceback.print_exc()
        is_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        tell(JobError("out-of-memory" if is_memory else "internal", f"{type(error).__name__}; the log has the rest."))
        return 1


def main(arguments: Sequence[str] | None = None) -> int:
    path = config_path(arguments)

    def work() -> None:
        job = read_job(path)
        if (path.parent / "cancelled").exists():  # a cluster may start what was cancelled while it waited
            raise JobCancelled("The job was cancelled before it began.")
        stopping = Stopping(job.wall_seconds, report)
        with stopping.watch():
            if job.framework == EMBEDDED:
                simulate_devices(job, path, stopping, emit)
            elif job.workers > 1:
                launch(job, path, stopping)
            else:
                run(job, framework_for(job.framework, job.device), Alone(), stopping, emit)

    return status_of(work, report)


def config_path(arguments: Sequence[str] | None) -> Path:
    parser = argparse.ArgumentParser(prog="starling_cluster.job", allow_abbrev=False)
    parser.add_argument("--config", required=True, type=Path, help="the configuration: a JSON file")
    found: Path = parser.parse_args(arguments).config
    return found.resolve()


if __name__ == "__main__":
    sys.exit(main())
