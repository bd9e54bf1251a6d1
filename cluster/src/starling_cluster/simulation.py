"""A simulation on virtual devices as tasks of Ray: the coordinator, which is the program of simulations, beside this
process; its workers in actors all over the cluster. What passes between them is theirs (simulator/src/ray/frames.ts).
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Callable, Iterator

from .config import Job
from .course import Emit
from .device_actor import DeviceActor, WorkerEnded
from .errors import DeviceUnavailable, JobError
from .frames import Frame, read_frame, write_frame
from .node_program import program
from .stopping import Stopping

_POLL_SECONDS = 0.1
_MOST_TRIES = 3
"""So many actors that end before they begin, one after another, and no more are started in their place."""


def simulate_devices(job: Job, config: Path, stopping: Stopping, emit: Emit) -> None:
    """Does the job, and returns when its metrics are written. Raises JobError."""
    command = program("coordinate", "--config", str(config))
    with cluster() as ray:
        coordinator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            _Driver(ray, job, coordinator, emit).run(stopping)
        finally:
            coordinator.kill()
            coordinator.wait()


@contextmanager
def cluster() -> Iterator[Any]:
    """The cluster that this job is one of. Raises DeviceUnavailable: none is started in its place."""
    address = os.environ.get("RAY_ADDRESS", "")
    if address == "":
        raise DeviceUnavailable("Virtual devices run on a Ray cluster, and this is no job of one (RAY_ADDRESS).")
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise DeviceUnavailable(f"This Python has no ray ({error}); take the one that runs the cluster.") from None
    ray.init(address=address, log_to_driver=False, logging_level="warning")
    try:
        yield ray
    finally:
        ray.shutdown()


class _Driver:
    """Passes frames on between the coordinator and the actors, and puts others in the places of those that end."""

    def __init__(self, ray: Any, job: Job, coordinator: subprocess.Popen[bytes], emit: Emit) -> None:
        assert coordinator.stdin is not None and coordinator.stdout is not None
        self._ray = ray
        self._job = job
        self._coordinator = coordinator
        self._input: IO[bytes] = coordinator.stdin
        self._output: IO[bytes] = coordinator.stdout
        self._emit = emit
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        """What others have to say, for this thread alone to act on."""
        self._room: Any = None
        """What the workers need, reserved: a bundle for each."""
        self._actors: list[Any] = [None] * job.workers
        self._tries = [0] * job.workers
        self._order: list[Any] = []
        self._round: list[Any] = []
        self._number = 0
        self._is_done = False

    def run(self, stopping: Stopping) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while not self._is_done:
            stopping.check()
            try:
                event = self._events.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            event()
        status = self._coordinator.wait()
        if status != 0:
            raise JobError("internal", f"The coordinator of the simulation ended with {status}; the log has the rest.")

    def _listen(self) -> None:
        while (frame := read_frame(self._output)) is not None:
            self._events.put(lambda frame=frame: self._take(frame))  # type: ignore[misc]
        self._events.put(self._end)

    def _end(self) -> None:
        self._is_done = True

    def _take(self, frame: Frame) -> None:
        if frame.kind == b"s":
            self._order = [self._ray.put(frame.body)]
            util = importlib.import_module("ray.util")
            room = [{"CPU": self._job.cpus_per_worker}] * self._job.workers
            self._room = util.placement_group(room)  # all of it or none: two could wait for one another's parts
            for place in range(self._job.workers):
                self._hire(place)
        elif frame.kind == b"r":
            self._round = [self._ray.put(frame.body)]
            self._number += 1
        elif frame.kind == b"q":
            asked = self._actors[frame.worker].ask.remote(self._number, self._round, frame.body)
            self._then(asked, lambda answer: self._answered(frame.worker, answer))
        elif frame.kind == b"l":
            self._emit(json.loads(frame.body))
        else:
            raise _failure(frame.body)

    def _hire(self, place: int) -> None:
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        options = {
            "num_cpus": self._job.cpus_per_worker,
            "max_restarts": 0,
            "scheduling_strategy": strategies.PlacementGroupSchedulingStrategy(self._room, place),
        }
        actor = self._ray.remote(DeviceActor).options(**options).remote()
        self._actors[place] = actor
        self._then(actor.begin.remote(self._order), lambda hello: self._hired(place, hello))

    def _hired(self, place: int, hello: Callable[[], bytes]) -> None:
        try:
            body = hello()
        except Exception as error:
            self._tries[place] += 1
            if not self._is_loss(error) or self._tries[place] >= _MOST_TRIES:
                raise _reason(error) from error
            self._hire(place)
            return
        self._tries[place] = 0
        self._tell(Frame(b"h", place, body))

    def _answered(self, place: int, answer: Callable[[], bytes]) -> None:
        try:
            body = answer()
        except Exception as error:
            if not self._is_loss(error):
                raise _reason(error) from error
            self._emit({"worker": place, "lost": str(_reason(error)).splitlines()[0]})
            self._ray.kill(self._actors[place])
            self._tell(Frame(b"g", place, b""))
            self._hire(place)
            return
        self._tell(Frame(b"a", place, body))

    def _then(self, reference: Any, act: Callable[[Callable[[], bytes]], None]) -> None:
        """Acts in this thread when there is a result, or none will come."""
        future = reference.future()
        future.add_done_callback(lambda done: self._events.put(lambda: act(done.result)))

    def _tell(self, frame: Frame) -> None:
        try:
            write_frame(self._input, frame)
        except BrokenPipeError:
            pass  # it has ended, and its output says how

    def _is_loss(self, error: Exception) -> bool:
        """Whether the actor, its process, or the machine with its answer is gone; anything else would come again."""
        lost = self._ray.exceptions
        return isinstance(error, (lost.RayActorError, lost.ObjectLostError, WorkerEnded))


def _reason(error: Exception) -> JobError:
    cause = getattr(error, "cause", error)
    return cause if isinstance(cause, JobError) else JobError("worker-lost", f"A worker is gone. {cause}".strip())


def _failure(body: bytes) -> JobError:
    told = json.loads(body)
    error = JobError(told["code"], told["message"])
    error.exit_status = told["status"]
    return error
