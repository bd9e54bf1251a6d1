"""The optimisers of the IR as PyTorch and the embedded framework take their steps.

MindSpore's own Adam puts epsilon beside the uncorrected root, and its SGD keeps decay out of nesterov's look ahead: near,
but not the same walk. So these are written out, one vector operation each.
"""

from __future__ import annotations

import math
from typing import Sequence

from mindspore import Tensor, ops

from ..document import Json
from ..errors import BadInput


class Optimiser:
    """State is kept tensor by tensor, in the order of the weights."""

    def __init__(self, recipe: Json, weights: Sequence[Tensor]) -> None:
        if recipe["kind"] not in ("sgd", "adam", "adamw"):
            raise BadInput("model-unsupported", f'"{recipe["kind"]}" is no optimiser of opset 1.')
        self._recipe = recipe
        self.steps = 0
        has_momentum = recipe["kind"] == "sgd" and recipe.get("momentum", 0) > 0
        many = 1 if has_momentum else 0 if recipe["kind"] == "sgd" else 2
        self.slots = [[ops.zeros_like(weight) for weight in weights] for _ in range(many)]

    def apply(self, weights: Sequence[Tensor], slopes: Sequence[Tensor], rate: float) -> list[Tensor]:
        """The weights after a step."""
        self.steps += 1
        move = self._descend if self._recipe["kind"] == "sgd" else self._adapt
        return [move(place, w, g, rate) for place, (w, g) in enumerate(zip(weights, slopes, strict=True))]

    def _descend(self, place: int, weight: Tensor, slope: Tensor, rate: float) -> Tensor:
        """v = momentum v + g, as torch has it (Sutskever et al. 2013, up to the rate)."""
        slope = self._decayed(weight, slope)
        if not self.slots:
            return weight - rate * slope
        momentum = self._recipe["momentum"]
        velocity = momentum * self.slots[0][place] + slope
        self.slots[0][place] = velocity
        return weight - rate * (slope + momentum * velocity if self._recipe.get("nesterov", False) else velocity)

    def _adapt(self, place: int, weight: Tensor, slope: Tensor, rate: float) -> Tensor:
        """Kingma and Ba 2015, algorithm 1, epsilon outside the root; adamw: Loshchilov and Hutter 2019, algorithm 2."""
        recipe, (first, second) = self._recipe, self.slots
        beta1, beta2 = recipe.get("beta1", 0.9), recipe.get("beta2", 0.999)
        if recipe["kind"] == "adamw":
            weight = weight - rate * recipe.get("weightDecay", 0.0) * weight
        else:
            slope = self._decayed(weight, slope)
        first[place] = beta1 * first[place] + (1 - beta1) * slope
        second[place] = beta2 * second[place] + (1 - beta2) * slope * slope
        deviation = ops.sqrt(second[place]) / math.sqrt(1 - beta2**self.steps) + recipe.get("epsilon", 1e-8)
        return weight - rate / (1 - beta1**self.steps) * (first[place] / deviation)

    def _decayed(self, weight: Tensor, slope: Tensor) -> Tensor:
        decay = self._recipe.get("weightDecay", 0.0)
        return slope + decay * weight if decay > 0 else slope
