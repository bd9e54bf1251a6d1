"""The exchange ops of opset 1 in MindSpore. Each takes its inputs, attributes and masks of dropout, and gives its output.

Values and weights are laid out as the IR says; where MindSpore wants channels first, they are transposed on the way.
What a fused kernel lacks on some device (recurrences, normalisation) is written in plain ones, so that every device
computes the same and every gradient exists.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping, Sequence


import numpy as np
from mindspore import Tensor, ops

from ..streams import Masks

Attributes = Mapping[str, Any]
Operation = Callable[[Sequence[Tensor], Attributes, Masks | None], Tensor]


def _plain(function: Callable[..., Tensor]) -> Operation:
    """An op without attributes."""
    return lambda inputs, _attrs, _masks: function(*inputs)


def _dense(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    y = ops.matmul(x.reshape(-1, x.shape[-1]), w)
    return (y if b is None else y + b).reshape(*x.shape[:-1], w.shape[-1])


def _conv1d(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    before, after = attrs.get("pads", (0, 0))
    image = inputs[0].expand_dims(1)
    attributes = {"strides": (1, attrs.get("stride", 1)), "pads": (0, 0, before, after)}
    return _convolve([image, inputs[1].expand_dims(0), *inputs[2:]], attributes, 1).squeeze(1)


def _convolve(inputs: Sequence[Tensor], attrs: Attributes, groups: int) -> Tensor:
    """x [B, H, W, C], w [KH, KW, C / groups, F]."""
    x, w = inputs[0].transpose(0, 3, 1, 2), inputs[1].transpose(3, 2, 0, 1)
    top, bottom, left, right = attrs.get("pads", (0, 0, 0, 0))
    if any((top, bottom, left, right)):
        x = ops.pad(x, (left, right, top, bottom))
    y = ops.conv2d(x, w, stride=tuple(attrs.get("strides", (1, 1))), groups=groups).transpose(0, 2, 3, 1)
    return y + inputs[2] if len(inputs) > 2 else y


def _conv2d(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    return _convolve(inputs, attrs, 1)


def _depthwise_conv2d(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x, w, *bias = inputs
    return _convolve([x, w.expand_dims(2), *bias], attrs, x.shape[-1])


def _max_pool2d(x: Tensor, size: tuple[int, int], strides: tuple[int, int]) -> Tensor:
    return ops.max_pool2d(x.transpose(0, 3, 1, 2), size, strides).transpose(0, 2, 3, 1)


def _avg_pool2d(x: Tensor, size: tuple[int, int], strides: tuple[int, int]) -> Tensor:
    return ops.avg_pool2d(x.transpose(0, 3, 1, 2), size, strides).transpose(0, 2, 3, 1)


def _pool1d(function: Callable[..., Tensor]) -> Operation:
    def pool(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
        size = attrs["size"]
        return function(inputs[0].expand_dims(1), (1, size), (1, attrs.get("stride", size))).squeeze(1)

    return pool


def _pool2d(function: Callable[..., Tensor]) -> Operation:
    def pool(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
        size = tuple(attrs["size"])
        return function(inputs[0], size, tuple(attrs.get("strides", size)))

    return pool


def _normalised(x: Tensor, axes: int | tuple[int, ...], epsilon: float) -> Tensor:
    centred = x - x.mean(axes, keep_dims=True)
    return centred * ops.rsqrt((centred * centred).mean(axes, keep_dims=True) + epsilon)


def _batch_norm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """Statistics of the rows that run together, in training and in evaluation."""
    x, gamma, beta = inputs
    return _normalised(x, tuple(range(x.ndim - 1)), attrs.get("epsilon", 1e-5)) * gamma + beta


def _layer_norm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x, gamma, beta = inputs
    return _normalised(x, -1, attrs.get("epsilon", 1e-5)) * gamma + beta


def _group_norm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x, gamma, beta = inputs
    groups = attrs["groups"]
    parted = x.reshape(x.shape[0], -1, groups, x.shape[-1] // groups)
    return _normalised(parted, (1, 3), attrs.get("epsilon", 1e-5)).reshape(x.shape) * gamma + beta


def _lstm(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """Gates i, f, g, o."""
    x, wx, wh, b = inputs
    projected = _dense(x, wx, b)
    h = c = ops.zeros((x.shape[0], wh.shape[0]), x.dtype)
    outputs = []
    for step in range(x.shape[1]):
        i, f, g, o = ops.split(projected[:, step] + ops.matmul(h, wh), wh.shape[0], 1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        outputs.append(h)
    return _recurrent(outputs, attrs)


def _gru(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """Gates r, z, n with n = tanh(x wxn + bxn + r (h whn + bhn))."""
    x, wx, wh, bx, bh = inputs
    projected = _dense(x, wx, bx)
    h = ops.zeros((x.shape[0], wh.shape[0]), x.dtype)
    outputs = []
    for step in range(x.shape[1]):
        xr, xz, xn = ops.split(projected[:, step], wh.shape[0], 1)
        hr, hz, hn = ops.split(ops.matmul(h, wh) + bh, wh.shape[0], 1)
        z = ops.sigmoid(xz + hz)
        n = ops.tanh(xn + ops.sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        outputs.append(h)
    return _recurrent(outputs, attrs)


def _recurrent(outputs: Sequence[Tensor], attrs: Attributes) -> Tensor:
    return outputs[-1] if attrs.get("output", "sequence") == "last" else ops.stack(list(outputs), 1)


def _attention(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    """softmax(q k^T / sqrt(width of a head)) v, head by head. Causal: row i sees columns up to i + S - T."""
    heads = attrs.get("heads", 1)
    q, k, v = (x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(0, 2, 1, 3) for x in inputs)
    scores = ops.matmul(q, k.swapaxes(-2, -1)) / math.sqrt(q.shape[-1])
    steps, seen = q.shape[-2], k.shape[-2]
    if attrs.get("causal", False):
        hidden = np.triu(np.full((steps, seen), -1e30, dtype=np.float32), seen - steps + 1)
        scores = scores + Tensor(hidden)
    y = ops.matmul(ops.softmax(scores, -1), v).transpose(0, 2, 1, 3)
    return y.reshape(y.shape[0], steps, -1)


def _gelu(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x = inputs[0]
    if attrs["variant"] == "tanh":
        return 0.5 * x * (1 + ops.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + ops.erf(x * math.sqrt(0.5)))


def _reduce(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    x, axes, keep = inputs[0], tuple(attrs["axes"]), attrs.get("keep", False)
    if attrs["kind"] == "max":
        return ops.amax(x, axes, keep)
    return x.mean(axes, keep_dims=keep) if attrs["kind"] == "mean" else x.sum(axes, keepdims=keep)


def _slice(inputs: Sequence[Tensor], attrs: Attributes, _masks: Masks | None) -> Tensor:
    return ops.narrow(inputs[0], attrs["axis"], attrs["start"], attrs["end"] - attrs["start"])


def _dropout(inputs: Sequence[Tensor], attrs: Attributes, masks: Masks | None) -> Tensor:
    """The masks are those that TypeScript draws; without masks, nothing is dropped."""
    x, rate = inputs[0], attrs["rate"]
    return x if masks is None or rate == 0 else x * Tensor(masks.draw(tuple(x.shape), rate).astype(np.float32))


OPERATIONS: Mapping[str, Operation] = {
    "standardise": _plain(lambda x, mean, inverse_sd: (x - mean) * inverse_sd),
    "dense": _plain(_dense),
    "conv1d": _conv1d,
    "conv2d": _conv2d,
    "depthwiseConv2d": _depthwise_conv2d,
    "maxPool1d": _pool1d(_max_pool2d),
    "avgPool1d": _pool1d(_avg_pool2d),
    "globalAvgPool1d": _plain(lambda x: x.mean(1)),
    "globalMaxPool1d": _plain(lambda x: ops.amax(x, 1)),
    "maxPool2d": _pool2d(_max_pool2d),
    "avgPool2d": _pool2d(_avg_pool2d),
    "globalAvgPool2d": _plain(lambda x: x.mean((1, 2))),
    "globalMaxPool2d": _plain(lambda x: ops.amax(x, (1, 2))),
    "batchNorm": _batch_norm,
    "layerNorm": _layer_norm,
    "groupNorm": _group_norm,
    "embedding": _plain(lambda ids, table: ops.gather(table, ids, 0)),
    "lstm": _lstm,
    "gru": _gru,
    "attention": _attention,
    "relu": _plain(ops.relu),
    "tanh": _plain(ops.tanh),
    "sigmoid": _plain(ops.sigmoid),
    "gelu": _gelu,
    "softmax": _plain(lambda x: ops.softmax(x, -1)),
    "add": _plain(lambda a, b: a + b),
    "mul": _plain(lambda a, b: a * b),
    "flatten": _plain(lambda x: x.reshape(x.shape[0], -1)),
    "concat": lambda inputs, attrs, _masks: ops.cat(tuple(inputs), attrs["axis"]),
    "reshape": lambda inputs, attrs, _masks: inputs[0].reshape(inputs[0].shape[0], *attrs["shape"]),
    "transpose": lambda inputs, attrs, _masks: inputs[0].transpose(0, *attrs["axes"]),
    "slice": _slice,
    "reduce": _reduce,
    "dropout": _dropout,
}


def _soft_max_cross_entropy(logits: Tensor, labels: Tensor, _attrs: Attributes) -> Tensor:
    classes = logits.shape[-1]
    wanted = ops.one_hot(labels.reshape(-1), classes).astype(logits.dtype)
    return -(ops.log_softmax(logits.reshape(-1, classes), -1) * wanted).sum(-1).mean()


def _binary_cross_entropy(logits: Tensor, targets: Tensor, _attrs: Attributes) -> Tensor:
    """-t log p - (1 - t) log(1 - p) with p = sigmoid(z), by a softplus that does not overflow."""
    softplus = ops.relu(logits) + ops.log1p(ops.exp(-ops.abs(logits)))
    return (softplus - logits * targets).mean()


def _huber(prediction: Tensor, targets: Tensor, attrs: Attributes) -> Tensor:
    """c (r - c / 2) with c the residual cut to -delta ... delta."""
    delta = float(attrs.get("delta", 1.0))
    residual = prediction - targets
    cut = ops.clamp(residual, -delta, delta)
    return (cut * (residual - 0.5 * cut)).mean()


def _mean_squared_error(prediction: Tensor, targets: Tensor, _attrs: Attributes) -> Tensor:
    residual = prediction - targets
    return (residual * residual).mean()


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Attributes], Tensor]] = {
    "softmaxCrossEntropy": _soft_max_cross_entropy,
    "binaryCrossEntropy": _binary_cross_entropy,
    "meanSquaredError": _mean_squared_error,
    "huber": _huber,
}
"""Each is the mean over the rows and all that a row holds."""
