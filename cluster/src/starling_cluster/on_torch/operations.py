"""The exchange ops of opset 1 in PyTorch. Each takes its inputs and attributes and gives its output.

Values are laid out as the IR says: batch first, channels last. Where PyTorch wants channels first it gets a permuted
view, which is its channels-last memory format, so activations are never copied. Weights arrive in PyTorch's own layout
(`layouts.py`).
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..streams import Masks

Attributes = Mapping[str, Any]
Operation = Callable[[Sequence[Tensor], Attributes, Masks | None], Tensor]


def _channels_first(x: Tensor) -> Tensor:
    return x.movedim(-1, 1)


def _channels_last(x: Tensor) -> Tensor:
    return x.movedim(1, -1)


def _optional(inputs: Sequence[Tensor], place: int) -> Tensor | None:
    return inputs[place] if len(inputs) > place else None


def _plain(function: Callable[..., Tensor]) -> Operation:
    """An op without attributes."""
    return lambda inputs, _attrs, _masks: function(*inputs)


def _dense(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    if b is None:
        return x @ w
    return torch.addmm(b, x, w) if x.dim() == 2 else x @ w + b


def _conv1d(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x = F.pad(_channels_first(inputs[0]), tuple(attrs.get("pads", (0, 0))))
    return _channels_last(F.conv1d(x, inputs[1], _optional(inputs, 2), attrs.get("stride", 1)))


def _convolve(inputs: Sequence[Tensor], attrs: Attributes, groups: int) -> Tensor:
    top, bottom, left, right = attrs.get("pads", (0, 0, 0, 0))
    x = _channels_first(inputs[0])
    padding = (top, left)
    if (top, left) != (bottom, right):
        x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
    strides = tuple(attrs.get("strides", (1, 1)))
    return _channels_last(F.conv2d(x, inputs[1], _optional(inputs, 2), strides, padding, groups=groups))


def _conv2d(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    return _convolve(inputs, attrs, 1)


def _depthwise_conv2d(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    return _convolve(inputs, attrs, inputs[0].shape[-1])


def _pool1d(function: Callable[..., Tensor]) -> Operation:
    def pool(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
        size = attrs["size"]
        return _channels_last(function(_channels_first(inputs[0]), size, attrs.get("stride", size)))

    return pool


def _pool2d(function: Callable[..., Tensor]) -> Operation:
    def pool(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
        size = tuple(attrs["size"])
        return _channels_last(function(_channels_first(inputs[0]), size, tuple(attrs.get("strides", size))))

    return pool


def _batch_norm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """Statistics of the rows that run together, in training and in evaluation."""
    x, gamma, beta = inputs
    rows = x.reshape(-1, x.shape[-1]) if x.dim() == 2 else _channels_first(x)
    y = F.batch_norm(rows, None, None, gamma, beta, True, 0.0, attrs.get("epsilon", 1e-5))
    return y if x.dim() == 2 else _channels_last(y)


def _layer_norm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x, gamma, beta = inputs
    return F.layer_norm(x, (x.shape[-1],), gamma, beta, attrs.get("epsilon", 1e-5))


def _group_norm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x, gamma, beta = inputs
    y = F.group_norm(_channels_first(x), attrs["groups"], gamma, beta, attrs.get("epsilon", 1e-5))
    return _channels_last(y)


def _recurrent(sequence: Tensor, attrs: Attributes) -> Tensor:
    return sequence[:, -1] if attrs.get("output", "sequence") == "last" else sequence


def _lstm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """Gates i, f, g, o. One bias: PyTorch's second one is zero."""
    x, wx, wh, b = inputs
    start = x.new_zeros(1, x.shape[0], wh.shape[1])
    weights = [wx, wh, b, torch.zeros_like(b)]
    y, _, _ = torch.lstm(x, (start, start), weights, True, 1, 0.0, True, False, True)
    return _recurrent(y, attrs)


def _gru(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """Gates r, z, n with n = tanh(x wxn + bxn + r (h whn + bhn))."""
    x, wx, wh, bx, bh = inputs
    start = x.new_zeros(1, x.shape[0], wh.shape[1])
    y, _ = torch.gru(x, start, [wx, wh, bx, bh], True, 1, 0.0, True, False, True)
    return _recurrent(y, attrs)


def _attention(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """softmax(q k^T / sqrt(width of a head)) v, head by head. Causal: row i sees columns up to i + S - T."""
    heads = attrs.get("heads", 1)
    q, k, v = (x.reshape(*x.shape[:-1], heads, -1).transpose(1, 2) for x in inputs)
    steps, seen = q.shape[-2], k.shape[-2]
    if not attrs.get("causal", False) or steps == seen:
        y = F.scaled_dot_product_attention(q, k, v, is_causal=attrs.get("causal", False))
    else:
        mask = torch.ones(steps, seen, dtype=torch.bool, device=q.device).tril(seen - steps)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return y.transpose(1, 2).flatten(-2)


def _gelu(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    return F.gelu(inputs[0], approximate="tanh" if attrs["variant"] == "tanh" else "none")


def _reduce(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    axes, keep = tuple(attrs["axes"]), attrs.get("keep", False)
    kind: str = attrs["kind"]
    if kind == "max":
        return torch.amax(inputs[0], axes, keep)
    return (torch.mean if kind == "mean" else torch.sum)(inputs[0], axes, keep)


def _slice(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    return inputs[0].narrow(attrs["axis"], attrs["start"], attrs["end"] - attrs["start"])


def _dropout(inputs: Sequence[Tensor], attrs: Attributes, masks: Masks | None) -> Tensor:
    """The masks are those that TypeScript draws; without masks, nothing is dropped."""
    x, rate = inputs[0], attrs["rate"]
    return x if masks is None or rate == 0 else x * x.new_tensor(masks.draw(tuple(x.shape), rate))


OPERATIONS: Mapping[str, Operation] = {
    "standardise": _plain(lambda x, mean, inverse_sd: (x - mean) * inverse_sd),
    "dense": _plain(_dense),
    "conv1d": _conv1d,
    "conv2d": _conv2d,
    "depthwiseConv2d": _depthwise_conv2d,
    "maxPool1d": _pool1d(F.max_pool1d),
    "avgPool1d": _pool1d(F.avg_pool1d),
    "globalAvgPool1d": _plain(lambda x: x.mean(1)),
    "globalMaxPool1d": _plain(lambda x: x.amax(1)),
    "maxPool2d": _pool2d(F.max_pool2d),
    "avgPool2d": _pool2d(F.avg_pool2d),
    "globalAvgPool2d": _plain(lambda x: x.mean((1, 2))),
    "globalMaxPool2d": _plain(lambda x: x.amax((1, 2))),
    "batchNorm": _batch_norm,
    "layerNorm": _layer_norm,
    "groupNorm": _group_norm,
    "embedding": _plain(lambda ids, table: F.embedding(ids, table)),
    "lstm": _lstm,
    "gru": _gru,
    "attention": _attention,
    "relu": _plain(torch.relu),
    "tanh": _plain(torch.tanh),
    "sigmoid": _plain(torch.sigmoid),
    "gelu": _gelu,
    "softmax": _plain(lambda x: x.softmax(-1)),
    "add": _plain(lambda a, b: a + b),
    "mul": _plain(lambda a, b: a * b),
    "flatten": _plain(lambda x: x.flatten(1)),
    "concat": lambda inputs, attrs, _masks: torch.cat(tuple(inputs), attrs["axis"]),
    "reshape": lambda inputs, attrs, _masks: inputs[0].reshape(-1, *attrs["shape"]),
    "transpose": lambda inputs, attrs, _masks: inputs[0].permute(0, *attrs["axes"]),
    "slice": _slice,
    "reduce": _reduce,
    "dropout": _dropout,
}


def _soft_max_cross_entropy(logits: Tensor, labels: Tensor, _attrs: Attributes) -> Tensor:
    if logits.dim() == 2:
        return F.cross_entropy(logits, labels)
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten())


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Attributes], Tensor]] = {
    "softmaxCrossEntropy": _soft_max_cross_entropy,
    "binaryCrossEntropy": lambda y, t, _attrs: F.binary_cross_entropy_with_logits(y, t),
    "meanSquaredError": lambda y, t, _attrs: F.mse_loss(y, t),
    "huber": lambda y, t, attrs: F.huber_loss(y, t, delta=attrs.get("delta", 1.0)),
}
"""Each is the mean over the rows and all that a row holds."""
