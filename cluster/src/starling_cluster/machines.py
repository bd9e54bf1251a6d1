"""Which machines of a cluster can be workers of a simulation, as one line of JSON: `python -m starling_cluster.machines`.

Asked of every living machine by a task that needs nothing of it, so that one that is busy answers too.
"""

from __future__ import annotations

import importlib
import json
import socket
from typing import Any

from .errors import DeviceUnavailable, JobError
from .node_program import node_command, node_version
from .simulation import cluster

_PATIENCE_SECONDS = 25
"""For all machines together: longer than a machine waits for its Node, shorter than the server waits for all this."""


def examine(command: str) -> dict[str, Any]:
    """The Node of this machine, or why there is none."""
    try:
        return {"machine": socket.gethostname(), "node": node_version(command)}
    except DeviceUnavailable as error:
        return {"machine": socket.gethostname(), "node": None, "reason": str(error)}


def examine_all() -> list[dict[str, Any]]:
    """Raises DeviceUnavailable."""
    with cluster() as ray:
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        alive = [node for node in ray.nodes() if node["Alive"]]
        command = node_command()
        asked = {
            node["NodeID"]: ray.remote(examine)
            .options(
                num_cpus=0,
                scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False),
            )
            .remote(command)
            for node in alive
        }
        answered, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=_PATIENCE_SECONDS)
        return [_answer(ray, node["NodeManagerAddress"], asked[node["NodeID"]], answered) for node in alive]


def _answer(ray: Any, address: str, reference: Any, answered: list[Any]) -> dict[str, Any]:
    if reference not in answered:
        reason = f"It did not answer in {_PATIENCE_SECONDS} s."
        return {"machine": address, "node": None, "reason": reason}
    try:
        found: dict[str, Any] = ray.get(reference)
        return found
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0]
        return {"machine": address, "node": None, "reason": f"It did not answer: {reason}"}


def main() -> None:
    try:
        print(json.dumps({"machines": examine_all()}), flush=True)
    except JobError as error:
        print(json.dumps({"code": error.code, "message": str(error)}), flush=True)
        raise SystemExit(error.exit_status) from None


if __name__ == "__main__":
    main()
