"""The interpreter on PyTorch by itself."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from conftest import ROOT, ZOO

torch = pytest.importorskip("torch", reason="torch is not installed for this Python")

from starling_cluster import UnsupportedModel, parse_document, read_document
from starling_cluster.formula import below, parameter_values, unit
from starling_cluster.on_torch import UmirModule, make_optimiser, meta_gradient


def linear(op: str, shape: list[int], weight: list[int], attrs: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "umir": 1,
        "opset": 1,
        "name": "test",
        "inputs": [
            {"id": "x", "shape": ["B", *shape]},
            {"id": "y", "shape": ["B", 1], "dtype": "f32", "role": "label"},
        ],
        "params": [{"id": "w", "shape": weight, "init": {"kind": "uniform", "fan": 2}}],
        "nodes": [{"op": op, "in": ["x", "w"], "out": "out", "attrs": attrs or {}}],
        "loss": {"op": "meanSquaredError", "in": ["out", "y"]},
    }


@pytest.mark.parametrize("name", ZOO)
def test_weights_come_back_as_they_were_written(name: str) -> None:
    module = UmirModule(read_document(ROOT / "model" / "zoo" / f"{name}.json"))
    size = sum(math.prod(p.shape) for p in module.document.weights)
    flat = torch.arange(size, dtype=torch.float32)
    module.write(flat)
    assert torch.equal(torch.cat([t.flatten() for t in module.read()]), flat)
    with pytest.raises(ValueError):
        module.write(flat[:-1])


def test_a_convolution_is_the_sum_over_its_window_in_the_ir_layout() -> None:
    module = UmirModule(parse_document(linear("conv2d", [3, 4, 2], [2, 3, 2, 5])), torch.float64)
    w = torch.randn(2, 3, 2, 5, dtype=torch.float64)
    x = torch.randn(1, 3, 4, 2, dtype=torch.float64)
    module.write(w.flatten())
    places = [[torch.einsum("hwc,hwcf->f", x[0, i : i + 2, j : j + 3], w) for j in range(2)] for i in range(2)]
    torch.testing.assert_close(module(x)[0], torch.stack([torch.stack(row) for row in places]))


def test_a_parameter_with_two_layouts_is_refused() -> None:
    ir = linear("conv1d", [4, 2], [2, 2, 2])
    ir["nodes"].append({"op": "mul", "in": ["out", "w"], "out": "again"})
    with pytest.raises(UnsupportedModel):
        UmirModule(parse_document(ir))


def test_what_is_not_known_is_refused() -> None:
    for change in ({"opset": 2}, {"loss": {"op": "hinge", "in": ["out", "y"]}}):
        with pytest.raises(UnsupportedModel):
            UmirModule(parse_document({**linear("dense", [2], [2, 1]), **change}))
    with pytest.raises(UnsupportedModel):
        UmirModule(parse_document(linear("swish", [2], [2, 1])))
    with pytest.raises(UnsupportedModel):
        make_optimiser({"kind": "lion", "rate": 1}, [torch.nn.Parameter(torch.zeros(1))])


def test_second_order_is_the_slope_of_the_loss_after_adaptation() -> None:
    golden = json.loads((ROOT / "model/src/zoo/goldens/optimisers.json").read_text())
    document = parse_document(golden["ir"])
    module = UmirModule(document, torch.float64)
    flat = torch.cat([torch.from_numpy(parameter_values(p)).flatten() for p in document.weights])
    generator = torch.Generator().manual_seed(1)
    xs = torch.randn(2, 4, 6, generator=generator, dtype=torch.float64)
    ys = torch.randint(3, (2, 4), generator=generator)
    support, query = (xs[0], ys[0]), (xs[1], ys[1])

    def at(values: Any) -> tuple[float, Any]:
        module.write(values)
        found = meta_gradient(module, support, query, 0.7, inner_steps=2)
        gradients = module.read([found.weights[name] for name in module.weights()])
        return found.loss.item(), torch.cat([g.flatten() for g in gradients])

    direction = torch.randn(flat.shape, generator=generator, dtype=torch.float64)
    step = 1e-5
    slope = (at(flat + step * direction)[0] - at(flat - step * direction)[0]) / (2 * step)
    assert slope == pytest.approx((at(flat)[1] @ direction).item(), abs=1e-8)


def test_only_the_groups_that_adapt_are_moved() -> None:
    ir = linear("dense", [2], [2, 1])
    ir["params"].append({"id": "b", "shape": [1], "init": {"kind": "zeros"}, "group": "head"})
    ir["nodes"] = [{"op": "dense", "in": ["x", "w", "b"], "out": "out"}]
    ir["meta"] = {"adapt": ["head"]}
    module = UmirModule(parse_document(ir), torch.float64)
    x, y = torch.tensor([[1.0, 2.0]]).double(), torch.tensor([[3.0]]).double()
    # Adapted b = 0.1 * 2 * 3 = 0.6 with w at 0, so the loss afterwards is (3 - 0.6)^2.
    assert meta_gradient(module, (x, y), (x, y), 0.1).loss.item() == pytest.approx(2.4**2)


def test_draws_by_formula_are_what_they_were() -> None:
    assert [int(u * 2**24) for u in unit("train/x", 4)] == [8808197, 3647852, 7017776, 7147352]
    assert list(below("train/y", 6, 3)) == [int(u * 3) for u in unit("train/y", 6)]
