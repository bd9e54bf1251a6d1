"""Gradients through an inner loop of adaptation, by torch.func.

MAML and its first-order form (Finn, Abbeel, Levine 2017, algorithm 2 and section 5.2); with a rate for every weight,
Meta-SGD (Li, Zhou, Chen, Li 2017, algorithm 1).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import Iterator, NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.nn.attention import SDPBackend, sdpa_kernel

from .module import UmirModule

Rows = tuple[Tensor, Tensor]
Tensors = dict[str, Tensor]


class MetaGradient(NamedTuple):
    loss: Tensor
    """Mean over the query, after the inner steps."""
    weights: Tensors
    rates: Tensors
    """Empty unless the rates are learned."""
    inner_losses: list[Tensor]
    adapted: Tensors


def meta_gradient(
    module: UmirModule, support: Rows, query: Rows, inner_rate: float | Tensors, inner_steps: int = 1, order: int = 2
) -> MetaGradient:
    """The gradient of the query loss after steps of SGD on the support, in PyTorch's layout.

    The steps move the groups of parameters that the document's meta block names. `inner_rate`: one for all, or one
    tensor for each weight, then differentiated too. `order` 1 takes the gradient at the adapted weights.
    """
    weights = {name: tensor.detach() for name, tensor in module.weights().items()}
    moved = [parameter.id for parameter in module.document.adapting]
    rates = {name: rate.detach() for name, rate in inner_rate.items()} if isinstance(inner_rate, dict) else {}

    def adapt(start: Tensors, learned: Tensors) -> tuple[Tensors, list[Tensor]]:
        held, losses = dict(start), []
        for _ in range(inner_steps):
            fixed = held

            def loss_at(part: Tensors, fixed: Tensors = fixed) -> Tensor:
                return module.loss(*support, {**fixed, **part})

            slopes, loss = grad_and_value(loss_at)({name: fixed[name] for name in moved})
            losses.append(loss)
            steps = {name: (learned[name] if learned else inner_rate) * slopes[name] for name in moved}
            held = {**fixed, **{name: fixed[name] - steps[name] for name in moved}}
        return held, losses

    if order == 1:
        adapted, losses = adapt(weights, rates)
        slopes, loss = grad_and_value(lambda at: module.loss(*query, at))(adapted)
        return MetaGradient(loss, slopes, {}, losses, adapted)

    def after(start: dict[str, Tensors]) -> tuple[Tensor, tuple[list[Tensor], Tensors]]:
        adapted, losses = adapt(start["weights"], start["rates"])
        return module.loss(*query, adapted), (losses, adapted)

    with twice_differentiable(module):
        start = {"weights": weights, "rates": rates}
        slopes, (loss, (losses, adapted)) = grad_and_value(after, has_aux=True)(start)
    return MetaGradient(loss, slopes["weights"], slopes["rates"], losses, adapted)


@contextmanager
def twice_differentiable(module: UmirModule) -> Iterator[None]:
    """Keeps to kernels that have a second derivative: fused attention and fused recurrences have none."""
    with ExitStack() as stack:
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        if any(node.op in ("lstm", "gru") for node in module.document.nodes):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False, allow_tf32=False))
        yield
