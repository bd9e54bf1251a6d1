"""The program of a simulation on virtual devices. It is ours, in JavaScript, and travels beside these sources; the machines
of the cluster have Node.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Sequence

from .errors import DeviceUnavailable

NODE_VARIABLE = "STARLING_NODE"
"""The command of Node on the cluster's machines; `node` unless given."""

LEAST_MAJOR = 20

_PATIENCE_SECONDS = 20


def node_command() -> str:
    return os.environ.get(NODE_VARIABLE, "node")


def node_version(node: str) -> str:
    """Such as 20.20.0. Raises DeviceUnavailable where there is no Node, or one that is too old."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=_PATIENCE_SECONDS)
    except OSError as error:
        raise DeviceUnavailable(
            f'"{node}" cannot be run ({error.strerror}): virtual devices need Node {LEAST_MAJOR} or newer on every machine.'
        ) from None
    except subprocess.TimeoutExpired:
        raise DeviceUnavailable(f'"{node} --version" said nothing in {_PATIENCE_SECONDS} s.') from None
    found = re.fullmatch(r"v((\d+)\.\d+\.\d+\S*)", told.stdout.strip())
    if found is None:
        raise DeviceUnavailable(f'"{node} --version" said {told.stdout.strip()[:80]!r}: it is no Node.')
    if int(found[2]) < LEAST_MAJOR:
        raise DeviceUnavailable(f"Node {found[1]} is too old: virtual devices need {LEAST_MAJOR} or newer.")
    return found[1]


def program(role: str, *arguments: str) -> Sequence[str]:
    """The command of the coordinator or of a worker. Raises DeviceUnavailable."""
    node = node_command()
    node_version(node)
    file = Path(__file__).with_name("simulator.mjs")
    if not file.exists():
        raise DeviceUnavailable("The program of simulations is not beside these sources: it travels with the job.")
    return [node, str(file), role, *arguments]
