"""What a machine of a cluster can do for jobs, as one line of JSON: `python -m starling_cluster.doctor [--sees PATH]`."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

from .frameworks import probe


def examine(sees: Path | None) -> dict[str, Any]:
    """The interpreter, the frameworks with the devices that each sees, and whether a path is there."""
    return {
        "python": platform.python_version(),
        "frameworks": probe(),
        "sees": None if sees is None else sees.exists(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="starling_cluster.doctor", allow_abbrev=False)
    parser.add_argument("--sees", type=Path, help="a path that jobs have to see")
    print(json.dumps({"doctor": examine(parser.parse_args().sees)}), flush=True)


if __name__ == "__main__":
    main()
