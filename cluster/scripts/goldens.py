"""Writes the golden fixtures of model/src/zoo/goldens: what PyTorch makes of the same documents in float64.

    PYTHONPATH=cluster/src python cluster/scripts/goldens.py && npx prettier --write model/src/zoo/goldens

Parameters and data come from the formula in starling_cluster/formula.py, so a fixture holds results alone. A gradient is
kept as its L2 norm, its largest magnitude, and the entries at floor(j (n - 1) / 11) for j = 0 ... 11 of the flattened
tensor in the IR's layout (each place once).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterable, Sequence

import torch
from op_cases import op_cases
from torch import Tensor

from starling_cluster import Document, parse_document, read_document
from starling_cluster.formula import input_values, parameter_values
from starling_cluster.on_torch import UmirModule, make_optimiser, meta_gradient

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "model" / "src" / "zoo" / "goldens"

ZOO_ROWS = {"har-mlp": 10, "sensor-cnn": 10, "femnist-cnn": 4, "char-lstm": 3, "tiny-gpt": 2, "conv4": 10}
CONV4_ROWS = (5, 25)
OP_ROWS, OP_META_ROWS = 5, (5, 6)
OP_INNER_RATE = 1.3
"""Large, so that the curvature has a large share."""
OPTIMISER_STEPS = 20
OPTIMISERS: list[Json] = [
    {"kind": "sgd", "rate": 0.1},
    {"kind": "sgd", "rate": 0.1, "momentum": 0.9},
    {"kind": "sgd", "rate": 0.1, "weightDecay": 0.05},
    {"kind": "sgd", "rate": 0.1, "momentum": 0.9, "weightDecay": 0.01, "nesterov": True},
    {"kind": "adam", "rate": 0.02},
    {"kind": "adam", "rate": 0.02, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-4, "weightDecay": 0.05},
    {"kind": "adamw", "rate": 0.02, "weightDecay": 0.1},
]


def rounded(value: float) -> float:
    """Ten significant digits: far below what float32 can miss."""
    return float(f"{value:.10g}")


def places(count: int) -> list[int]:
    return sorted({j * (count - 1) // 11 for j in range(12)})


def summary(tensor: Tensor) -> Json:
    flat = tensor.flatten()
    return {
        "norm": rounded(flat.norm().item()),
        "max": rounded(flat.abs().max().item()),
        "entries": [rounded(flat[place].item()) for place in places(flat.numel())],
    }


def module_by_formula(document: Document) -> UmirModule:
    module = UmirModule(document, torch.float64)
    module.write(torch.cat([torch.from_numpy(parameter_values(p)).flatten() for p in document.weights]))
    for parameter in document.parameters:
        if parameter.is_statistic:
            module.write_statistic(parameter.id, torch.from_numpy(parameter_values(parameter)))
    return module


def rows_of(document: Document, name: str, rows: int) -> tuple[Tensor, Tensor]:
    """Features are called `<name>/x` and labels `<name>/y`, whatever the document calls them."""
    binary = document.loss["op"] == "binaryCrossEntropy"
    x = torch.from_numpy(input_values(f"{name}/x", document.features, rows))
    return x, torch.from_numpy(input_values(f"{name}/y", document.label, rows, binary))


def gradient_of(module: UmirModule, loss: Tensor) -> Json:
    return summaries(module, loss, torch.autograd.grad(loss, list(module.tensors)))


def summaries(module: UmirModule, loss: Tensor, gradients: Sequence[Tensor]) -> Json:
    names = [parameter.id for parameter in module.document.weights]
    found = zip(names, module.read(gradients), strict=True)
    return {"loss": rounded(loss.item()), "gradients": {name: summary(g) for name, g in found}}


def first_order(document: Document, rows: int) -> Json:
    module = module_by_formula(document)
    return {"rows": rows, **gradient_of(module, module.loss(*rows_of(document, "train", rows)))}


def meta_orders(document: Document, rows: tuple[int, int], inner_rate: float) -> Json:
    """The meta-gradient of one inner step, through it and not: they differ by the inner rate times H g."""
    module = module_by_formula(document)
    support, query = rows_of(document, "support", rows[0]), rows_of(document, "query", rows[1])
    orders = {}
    for name, order in (("first", 1), ("second", 2)):
        found = meta_gradient(module, support, query, inner_rate, order=order)
        orders[name] = summaries(module, found.loss, [found.weights[key] for key in module.weights()])
    return {"supportRows": rows[0], "queryRows": rows[1], "innerRate": inner_rate, **orders}


def expect_curvature(name: str, meta: Json) -> None:
    """A case whose two orders agree would not test the second."""
    first, second = meta["first"]["gradients"], meta["second"]["gradients"]
    gap = max(
        abs(a - b) / second[key]["max"]
        for key in second
        for a, b in zip(first[key]["entries"], second[key]["entries"], strict=True)
        if second[key]["max"] > 0
    )
    if gap < 1e-3:
        raise AssertionError(f"{name}: first and second order differ by {gap:.1e} only.")


def ops() -> Iterable[Json]:
    for ir in op_cases():
        document = parse_document(ir)
        meta = meta_orders(document, OP_META_ROWS, OP_INNER_RATE)
        expect_curvature(document.name, meta)
        yield {"ir": ir, **first_order(document, OP_ROWS), "meta": meta}


def zoo() -> Iterable[Json]:
    for name, rows in ZOO_ROWS.items():
        document = read_document(ROOT / "model" / "zoo" / f"{name}.json")
        golden = {"name": name, **first_order(document, rows)}
        if document.meta:
            golden["meta"] = meta_orders(document, CONV4_ROWS, document.meta["innerRate"])
            expect_curvature(name, golden["meta"])
        yield golden


def weights(name: str, shape: list[int]) -> Json:
    return {"id": name, "shape": shape, "init": {"kind": "uniform", "fan": 3}}


def optimiser_problem() -> Json:
    return {
        "umir": 1,
        "opset": 1,
        "name": "optimiser-problem",
        "inputs": [
            {"id": "x", "shape": ["B", 6]},
            {"id": "y", "shape": ["B"], "dtype": "i32", "role": "label", "classes": 3},
        ],
        "params": [weights("w1", [6, 5]), weights("b1", [5]), weights("w2", [5, 3])],
        "nodes": [
            {"op": "dense", "in": ["x", "w1", "b1"], "out": "h"},
            {"op": "tanh", "in": ["h"], "out": "t"},
            {"op": "dense", "in": ["t", "w2"], "out": "logits"},
        ],
        "loss": {"op": "softmaxCrossEntropy", "in": ["logits", "y"]},
    }


def optimisers() -> Json:
    ir = optimiser_problem()
    document = parse_document(ir)
    batch = rows_of(document, "train", 8)
    runs = []
    for recipe in OPTIMISERS:
        module = module_by_formula(document)
        optimiser = make_optimiser(recipe, module.parameters())
        losses = []
        for _ in range(OPTIMISER_STEPS):
            optimiser.zero_grad()
            loss = module.loss(*batch)
            torch.autograd.backward(loss)
            optimiser.step()
            losses.append(rounded(loss.item()))
        names = [parameter.id for parameter in document.weights]
        found = {name: summary(t) for name, t in zip(names, module.read(), strict=True)}
        runs.append({"optimiser": recipe, "losses": losses, "weights": found})
    return {"ir": ir, "rows": 8, "runs": runs}


def write(name: str, golden: Any) -> None:
    GOLDENS.mkdir(parents=True, exist_ok=True)
    (GOLDENS / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    torch.set_num_threads(1)
    write("ops", list(ops()))
    write("zoo", list(zoo()))
    write("optimisers", optimisers())


if __name__ == "__main__":
    main()
