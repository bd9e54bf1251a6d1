"""One of several workers, as torchrun and msrun start it."""

from __future__ import annotations

import os
import sys

from .config import read_job
from .document import Json
from .frameworks import framework_for
from .job import config_path, status_of
from .launch import enlist, leave_reason, tell
from .run import run
from .stopping import Stopping


def main() -> int:
    path = config_path(None)
    enlist()

    def work() -> None:
        job = read_job(path)
        stopping = Stopping(job.wall_seconds, leave_reason)
        with stopping.watch():
            framework = framework_for(job.framework, job.device, int(os.environ.get("LOCAL_RANK", "0")))
            group = framework.group()

            def tell_first(line: Json) -> None:
                if group.rank == 0:
                    tell(line)

            run(job, framework, group, stopping, tell_first)

    return status_of(work, leave_reason)


if __name__ == "__main__":
    sys.exit(main())
