"""One small document for every exchange op and every loss, with every attribute away from its default somewhere.

The features are multiplied by a parameter of their shape before they reach the op, so the gradient of that parameter
shows the op's gradient with respect to its input.
"""

from __future__ import annotations

from typing import Any, Iterator, Sequence

Json = dict[str, Any]
Shape = Sequence[int]
Weights = Sequence[tuple[str, Shape]]


def _parameter(name: str, shape: Shape, init: Json | None = None) -> Json:
    return {"id": name, "shape": list(shape), "init": init or {"kind": "uniform", "fan": 2}}


def _node(op: str, inputs: Sequence[str], out: str, attrs: Json | None = None) -> Json:
    return {"op": op, "in": list(inputs), "out": out, **({"attrs": attrs} if attrs else {})}


def _features(shape: Shape) -> Json:
    return {"id": "x", "shape": ["B", *shape]}


def _targets(shape: Shape) -> Json:
    return {"id": "y", "shape": ["B", *shape], "dtype": "f32", "role": "label"}


def _document(name: str, inputs: Sequence[Json], params: Sequence[Json], nodes: Sequence[Json], loss: Json) -> Json:
    return {
        "umir": 1,
        "opset": 1,
        "name": name,
        "inputs": list(inputs),
        "params": list(params),
        "nodes": list(nodes),
        "loss": loss,
        "metrics": [],
    }


_SQUARES = {"op": "meanSquaredError", "in": ["out", "y"]}


def _case(
    name: str,
    op: str,
    shape: Shape,
    out: Shape,
    weights: Weights = (),
    attrs: Json | None = None,
) -> Json:
    """x of `shape`, scaled, through one op with weights of its own, to `out` and the mean squared error."""
    ones = ("gamma",)
    params = [_parameter("scale", shape)]
    params += [_parameter(w, s, {"kind": "ones"} if w in ones else None) for w, s in weights]
    nodes = [_node("mul", ["x", "scale"], "h"), _node(op, ["h", *(w for w, _ in weights)], "out", attrs)]
    return _document(name, [_features(shape), _targets(out)], params, nodes, _SQUARES)


def _two(name: str, op: str, shape: Shape, out: Shape, attrs: Json | None = None, many: int = 2) -> Json:
    """An op of several values that all carry the batch, each scaled by a parameter of its own."""
    names = [f"part{i}" for i in range(many)]
    params = [_parameter(f"{part}/scale", shape) for part in names]
    nodes = [_node("mul", ["x", f"{part}/scale"], part) for part in names]
    nodes.append(_node(op, names, "out", attrs))
    return _document(name, [_features(shape), _targets(out)], params, nodes, _SQUARES)


def _cross_attention() -> Json:
    """Queries from another length than keys and values."""
    params = [_parameter("scale", [5, 4])] + [_parameter(f"{n}/w", [4, 4]) for n in ("q", "k", "v")]
    nodes = [
        _node("mul", ["x", "scale"], "h"),
        _node("slice", ["h"], "cut", {"axis": 1, "start": 2, "end": 5}),
        _node("dense", ["cut", "q/w"], "q"),
        _node("dense", ["h", "k/w"], "k"),
        _node("dense", ["h", "v/w"], "v"),
        _node("attention", ["q", "k", "v"], "out"),
    ]
    return _document("attention-cross", [_features([5, 4]), _targets([3, 4])], params, nodes, _SQUARES)


def _standardise() -> Json:
    params = [
        _parameter("mean", [4], {"kind": "inputMean"}),
        _parameter("inverse-sd", [4], {"kind": "inputInverseSd"}),
        _parameter("w", [4, 2]),
    ]
    nodes = [_node("standardise", ["x", "mean", "inverse-sd"], "h"), _node("dense", ["h", "w"], "out")]
    return _document("standardise", [_features([4]), _targets([2])], params, nodes, _SQUARES)


def _batch_norm() -> Json:
    """With relu(x) added: a factor of each channel alone would be normalised away, and its gradient be rounding error."""
    params = [_parameter("scale", [4]), _parameter("gamma", [4], {"kind": "ones"}), _parameter("beta", [4])]
    nodes = [
        _node("mul", ["x", "scale"], "h"),
        _node("relu", ["x"], "r"),
        _node("add", ["h", "r"], "t"),
        _node("batchNorm", ["t", "gamma", "beta"], "out"),
    ]
    return _document("batch-norm", [_features([4]), _targets([4])], params, nodes, _SQUARES)


def _embedding() -> Json:
    ids = {"id": "x", "shape": ["B", 4], "dtype": "i32", "vocabulary": 5}
    nodes = [_node("embedding", ["x", "table"], "h"), _node("tanh", ["h"], "out")]
    return _document("embedding", [ids, _targets([4, 3])], [_parameter("table", [5, 3])], nodes, _SQUARES)


def _loss(name: str, label: Json, out: Shape, loss: Json) -> Json:
    """Through a dense layer, tanh, and one more: curved, so that second order says something."""
    params = [_parameter("w1", [4, 5]), _parameter("w2", [5, out[-1]]), _parameter("b2", [out[-1]])]
    nodes = [
        _node("dense", ["x", "w1"], "h"),
        _node("tanh", ["h"], "t"),
        _node("dense", ["t", "w2", "b2"], "out"),
    ]
    features = _features([*out[:-1], 4])
    return _document(name, [features, label], params, nodes, {"in": ["out", "y"], **loss})


def _affine(channels: int) -> Weights:
    return [("gamma", [channels]), ("beta", [channels])]


def _recurrent(gates: int, biases: Sequence[str]) -> Weights:
    """From 3 to 4 values."""
    return [("wx", [3, gates * 4]), ("wh", [4, gates * 4]), *((bias, [gates * 4]) for bias in biases)]


def _labels(classes: int, axes: Shape = ()) -> Json:
    return {"id": "y", "shape": ["B", *axes], "dtype": "i32", "role": "label", "classes": classes}


def op_cases() -> Iterator[Json]:
    yield _standardise()
    yield _case("dense", "dense", [4], [3], [("w", [4, 3]), ("b", [3])])
    yield _case("dense-no-bias", "dense", [4], [3], [("w", [4, 3])])
    yield _case("dense-sequence", "dense", [3, 4], [3, 2], [("w", [4, 2]), ("b", [2])])
    yield _case("conv1d", "conv1d", [7, 2], [5, 3], [("w", [3, 2, 3]), ("b", [3])])
    yield _case("conv1d-strided", "conv1d", [7, 2], [4, 3], [("w", [4, 2, 3])], {"stride": 2, "pads": [1, 2]})
    yield _case("conv2d", "conv2d", [5, 6, 2], [3, 4, 3], [("w", [3, 3, 2, 3]), ("b", [3])])
    yield _case("conv2d-one-channel", "conv2d", [6, 6, 1], [6, 6, 3], [("w", [3, 3, 1, 3])], {"pads": [1, 1, 1, 1]})
    yield _case(
        "conv2d-strided",
        "conv2d",
        [5, 6, 2],
        [3, 4, 3],
        [("w", [3, 2, 2, 3]), ("b", [3])],
        {"strides": [2, 2], "pads": [1, 2, 0, 2]},
    )
    yield _case(
        "depthwise-conv2d",
        "depthwiseConv2d",
        [5, 4, 3],
        [3, 4, 3],
        [("w", [3, 3, 3]), ("b", [3])],
        {"strides": [2, 1], "pads": [1, 1, 1, 1]},
    )
    yield _case("max-pool1d", "maxPool1d", [7, 2], [3, 2], attrs={"size": 2})
    yield _case("max-pool1d-overlap", "maxPool1d", [7, 2], [3, 2], attrs={"size": 3, "stride": 2})
    yield _case("avg-pool1d", "avgPool1d", [7, 2], [3, 2], attrs={"size": 3, "stride": 2})
    yield _case("max-pool2d", "maxPool2d", [5, 4, 2], [2, 2, 2], attrs={"size": [2, 2]})
    yield _case("max-pool2d-overlap", "maxPool2d", [5, 4, 2], [3, 2, 2], attrs={"size": [3, 2], "strides": [1, 2]})
    yield _case("avg-pool2d", "avgPool2d", [5, 4, 2], [2, 3, 2], attrs={"size": [2, 2], "strides": [2, 1]})
    yield _case("global-avg-pool1d", "globalAvgPool1d", [5, 3], [3])
    yield _case("global-max-pool1d", "globalMaxPool1d", [5, 3], [3])
    yield _case("global-avg-pool2d", "globalAvgPool2d", [3, 4, 2], [2])
    yield _case("global-max-pool2d", "globalMaxPool2d", [2, 2, 2], [2])
    yield _batch_norm()
    yield _case("batch-norm-image", "batchNorm", [3, 2, 4], [3, 2, 4], _affine(4), {"epsilon": 1e-3})
    yield _case("layer-norm", "layerNorm", [6], [6], _affine(6))
    yield _case("layer-norm-sequence", "layerNorm", [3, 6], [3, 6], _affine(6), {"epsilon": 1e-3})
    yield _case("group-norm", "groupNorm", [3, 2, 4], [3, 2, 4], _affine(4), {"groups": 2})
    yield _embedding()
    yield _case("lstm", "lstm", [5, 3], [5, 4], _recurrent(4, ["b"]))
    yield _case("lstm-last", "lstm", [5, 3], [4], _recurrent(4, ["b"]), {"output": "last"})
    yield _case("gru", "gru", [5, 3], [5, 4], _recurrent(3, ["bx", "bh"]))
    yield _case("gru-last", "gru", [5, 3], [4], _recurrent(3, ["bx", "bh"]), {"output": "last"})
    yield _two("attention", "attention", [4, 6], [4, 6], many=3)
    yield _two("attention-heads", "attention", [4, 6], [4, 6], {"heads": 3}, many=3)
    yield _two("attention-causal", "attention", [4, 6], [4, 6], {"heads": 2, "causal": True}, many=3)
    yield _cross_attention()
    for op in ("relu", "tanh", "sigmoid", "softmax"):
        yield _case(op, op, [3, 5], [3, 5])
    yield _case("gelu-erf", "gelu", [3, 5], [3, 5], attrs={"variant": "erf"})
    yield _case("gelu-tanh", "gelu", [3, 5], [3, 5], attrs={"variant": "tanh"})
    yield _two("add", "add", [3, 4], [3, 4])
    yield _case("add-row", "add", [3, 4], [3, 4], [("b", [4])])
    yield _case("add-plane", "add", [2, 3, 4], [2, 3, 4], [("b", [3, 4])])
    yield _two("mul", "mul", [3, 4], [3, 4])
    yield _case("mul-row", "mul", [3, 4], [3, 4], [("b", [4])])
    yield _case("mul-plane", "mul", [2, 3, 4], [2, 3, 4], [("b", [3, 4])])
    yield _case("flatten", "flatten", [2, 3, 2], [12])
    yield _two("concat", "concat", [3, 4], [6, 4], {"axis": 1})
    yield _two("concat-last", "concat", [3, 4], [3, 12], {"axis": 2}, many=3)
    yield _case("reshape", "reshape", [3, 4], [2, 6], attrs={"shape": [2, 6]})
    yield _case("transpose", "transpose", [2, 3, 4], [4, 2, 3], attrs={"axes": [3, 1, 2]})
    yield _case("slice", "slice", [5, 3], [2, 3], attrs={"axis": 1, "start": 1, "end": 3})
    yield _case("reduce-mean", "reduce", [3, 4, 2], [4], attrs={"kind": "mean", "axes": [1, 3]})
    yield _case("reduce-sum", "reduce", [3, 4, 2], [3, 1, 2], attrs={"kind": "sum", "axes": [2], "keep": True})
    yield _case("reduce-max", "reduce", [3, 4, 2], [3], attrs={"kind": "max", "axes": [2, 3]})
    yield _loss("softmax-cross-entropy", _labels(3), [3], {"op": "softmaxCrossEntropy"})
    yield _loss("softmax-cross-entropy-sequence", _labels(3, [4]), [4, 3], {"op": "softmaxCrossEntropy"})
    yield _loss("binary-cross-entropy", _targets([3]), [3], {"op": "binaryCrossEntropy"})
    yield _loss("mean-squared-error", _targets([3]), [3], {"op": "meanSquaredError"})
    yield _loss("huber", _targets([3]), [3], {"op": "huber", "delta": 0.5})
