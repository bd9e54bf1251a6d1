"""The optimiser that a document recommends, from torch.optim: the IR's optimisers mean what PyTorch's mean."""

from __future__ import annotations

from typing import Iterable

import torch
from torch import nn

from ..document import Json, UnsupportedModel


def make_optimiser(recipe: Json, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Raises UnsupportedModel for a kind that opset 1 does not have."""
    kind, rate = recipe["kind"], recipe["rate"]
    decay = recipe.get("weightDecay", 0.0)
    if kind == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=rate,
            momentum=recipe.get("momentum", 0.0),
            weight_decay=decay,
            nesterov=recipe.get("nesterov", False),
        )
    if kind in ("adam", "adamw"):
        optimiser = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
        return optimiser(
            parameters,
            lr=rate,
            betas=(recipe.get("beta1", 0.9), recipe.get("beta2", 0.999)),
            eps=recipe.get("epsilon", 1e-8),
            weight_decay=decay,
        )
    raise UnsupportedModel(f'"{kind}" is no optimiser of opset 1.')
