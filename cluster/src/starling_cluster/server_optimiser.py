"""What a coordinator does with the mean update: the twin of aggregation/src/optimisers, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .document import Json
from .engine import State
from .layout import Flat

Vector = npt.NDArray[np.float64]


def rate_at(rate: Any, step: int, steps: int) -> float:
    """The rate of step `step` (from 1) of `steps`: a number, or {"from", "to"} for a straight line between them."""
    if not isinstance(rate, dict):
        return float(rate)
    share = 0.0 if steps <= 1 else (step - 1) / (steps - 1)
    return float(rate["from"] + (rate["to"] - rate["from"]) * share)


class ServerOptimiser:
    """sgd, momentum (Hsu, Qi, Brown 2019) or adam (Kingma and Ba 2015, algorithm 1; epsilon outside the root)."""

    def __init__(self, settings: Json, size: int) -> None:
        self._settings = settings
        self._step = 0
        self._slots = {name: np.zeros(size) for name in _SLOTS[settings["kind"]]}

    def apply(self, parameters: Flat, gradient: Vector, rate: float) -> Flat:
        self._step += 1
        moved = parameters.astype(np.float64) - rate * self._direction(gradient)
        return moved.astype(np.float32)

    def state(self) -> State:
        return {"step": np.array([self._step], dtype=np.int64), **self._slots}

    def restore(self, state: State) -> None:
        self._step = int(state["step"][0])
        self._slots = {name: state[name].copy() for name in self._slots}

    def _direction(self, gradient: Vector) -> Vector:
        settings, slots = self._settings, self._slots
        if settings["kind"] == "momentum":
            slots["velocity"] = settings["momentum"] * slots["velocity"] + gradient
            return slots["velocity"]
        if settings["kind"] == "adam":
            beta1, beta2 = settings.get("beta1", 0.9), settings.get("beta2", 0.999)
            slots["first-moment"] = beta1 * slots["first-moment"] + (1 - beta1) * gradient
            slots["second-moment"] = beta2 * slots["second-moment"] + (1 - beta2) * gradient * gradient
            first = slots["first-moment"] / (1 - beta1**self._step)
            second = slots["second-moment"] / (1 - beta2**self._step)
            direction: Vector = first / (np.sqrt(second) + settings.get("epsilon", 1e-8))
            return direction
        return gradient


_SLOTS = {"sgd": (), "momentum": ("velocity",), "adam": ("first-moment", "second-moment")}
