"""PyTorch on one thread: the same documents through starling_cluster. Speaks the lines of bench/src/serve.ts."""

from __future__ import annotations

import json
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch
from torch import Tensor

from starling_cluster import UmirModule, make_optimiser, read_document

Json = dict[str, Any]


def load(fixture: Json) -> Callable[[], float]:
    """One training step that gives the loss before it."""
    module = UmirModule(read_document(Path(fixture["document"])))
    module.write(torch.from_numpy(np.fromfile(fixture["params"], np.float32)))
    features, label = module.document.features, module.document.label

    def rows(part: str) -> tuple[Tensor, Tensor]:
        files = fixture["parts"][part]
        ids = features.get("dtype", "f32") == "i32"
        x = torch.from_numpy(np.fromfile(files["x"], np.int32 if ids else np.float32))
        y = torch.from_numpy(np.fromfile(files["y"], np.int32)).long()
        x = x.long() if ids else x
        return x.reshape(-1, *features["shape"][1:]), y.reshape(-1, *label["shape"][1:])

    weights = module.weights()
    loss_of = (
        partial(module.meta_loss, rows("support"), rows("query"), fixture["innerRate"])
        if "innerRate" in fixture
        else partial(module.loss, *rows("train"), weights)
    )
    optimiser = make_optimiser({"kind": "sgd", "rate": fixture["rate"]}, module.parameters())

    def step() -> float:
        optimiser.zero_grad()
        loss = loss_of()
        torch.autograd.backward(loss)
        optimiser.step()
        return loss.item()

    return step


def run(step: Callable[[], float], milliseconds: float) -> Json:
    steps: list[float] = []
    start = before = time.perf_counter()
    while not steps or (before - start) * 1e3 < milliseconds:
        step()
        now = time.perf_counter()
        steps.append((now - before) * 1e3)
        before = now
    unit = 1 if sys.platform == "darwin" else 1024
    return {"stepsMs": steps, "rssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def main() -> None:
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    step: Callable[[], float] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        reply: Json
        try:
            if request["command"] == "load":
                start = time.perf_counter()
                step = load(request["fixture"])
                losses = [step()]
                ready = (time.perf_counter() - start) * 1e3
                losses += [step() for _ in range(request["warmUp"] - 1)]
                reply = {"losses": losses, "readyMs": ready}
            elif request["command"] == "run" and step is not None:
                reply = run(step, request["milliseconds"])
            else:
                reply = {"error": f"{request['command']} is not for this contender."}
        except Exception as error:  # whatever it is, the bench reports it and goes on
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
