"""A model of the Unified Model IR as a torch.nn.Module."""

from __future__ import annotations

import math
from typing import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..document import Document, UnsupportedModel
from ..streams import Masks
from .layouts import Layout, parameter_layouts
from .operations import LOSSES, OPERATIONS


class UmirModule(nn.Module):
    """Interprets a document node by node; autograd does the rest.

    Parameters are held in PyTorch's layout and in the order of the document; `read` and `write` speak the IR's. Inputs
    and outputs have the IR's layout: rows first, channels last.
    """

    def __init__(self, document: Document, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        unknown = {node.op for node in document.nodes} - OPERATIONS.keys()
        if unknown:
            raise UnsupportedModel(f"{', '.join(sorted(unknown))} is no op of opset 1.")
        if document.loss["op"] not in LOSSES:
            raise UnsupportedModel(f"{document.loss['op']} is no loss of opset 1.")
        self.document = document
        self._layouts = parameter_layouts(document)
        self.tensors = nn.ParameterList()
        self._statistics: dict[str, str] = {}
        for number, parameter in enumerate(document.parameters):
            if parameter.is_statistic:
                fill = torch.zeros if parameter.init["kind"] == "inputMean" else torch.ones
                self._statistics[parameter.id] = f"statistic{number}"
                self.register_buffer(f"statistic{number}", fill(parameter.shape, dtype=dtype))
            else:
                value = self._layouts[parameter.id].to_torch(torch.zeros(parameter.shape, dtype=dtype))
                self.tensors.append(nn.Parameter(value.contiguous()))

    def weights(self) -> dict[str, Tensor]:
        """The trained tensors by id, in PyTorch's layout; what `loss` takes in their stead for an inner step."""
        return dict(zip((p.id for p in self.document.weights), self.tensors, strict=True))

    def write(self, flat: Tensor) -> None:
        """Sets all weights from one vector in the IR's layout and order. Raises ValueError for another size."""
        wanted = sum(tensor.numel() for tensor in self.tensors)
        if flat.numel() != wanted:
            raise ValueError(f"The vector has {flat.numel()} values; {self.document.name} has {wanted} weights.")
        offset = 0
        with torch.no_grad():
            for parameter, tensor in zip(self.document.weights, self.tensors, strict=True):
                size = math.prod(parameter.shape)
                part = flat[offset : offset + size].reshape(parameter.shape)
                tensor.copy_(self._layouts[parameter.id].to_torch(part))
                offset += size

    def write_statistic(self, name: str, value: Tensor) -> None:
        """Sets one statistic of the input."""
        self.statistic(name).copy_(value)

    def statistic(self, name: str) -> Tensor:
        return self.get_buffer(self._statistics[name])

    def read(self, tensors: Sequence[Tensor] | None = None) -> list[Tensor]:
        """The weights, or as many tensors that belong to them (gradients), each in the IR's layout."""
        held = self.tensors if tensors is None else tensors
        return [
            self._layouts[parameter.id].from_torch(tensor.detach()).contiguous()
            for parameter, tensor in zip(self.document.weights, held, strict=True)
        ]

    def layout_of(self, name: str) -> Layout:
        """How a weight lies here and in the IR."""
        return self._layouts[name]

    def forward(self, x: Tensor, weights: Mapping[str, Tensor] | None = None, masks: Masks | None = None) -> Tensor:
        """What the loss takes as its first input: logits, or estimates. `masks`: of dropout, which acts in training."""
        statistics = {name: self.get_buffer(buffer) for name, buffer in self._statistics.items()}
        values: dict[str, Tensor] = {**statistics, **(self.weights() if weights is None else weights)}
        values[self.document.features["id"]] = x
        for node in self.document.nodes:
            inputs = [values[name] for name in node.inputs]
            values[node.out] = OPERATIONS[node.op](inputs, node.attrs, masks)
        return values[self.document.loss["in"][0]]

    def loss(self, x: Tensor, y: Tensor, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Mean loss over the rows."""
        return self.loss_of(self.forward(x, weights), y)

    def loss_of(self, prediction: Tensor, y: Tensor) -> Tensor:
        """The same of what was predicted."""
        loss = self.document.loss
        return LOSSES[loss["op"]](prediction, y, loss)
