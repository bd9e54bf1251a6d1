"""MindSpore in float32 against the TypeScript engine and PyTorch's goldens. Run with a Python that has MindSpore."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, ZOO, Case, Parity, expect_same_course, relative_fault, rows_by_formula

pytest.importorskip("mindspore", reason="MindSpore is not installed for this Python")

from starling_cluster import parse_document
from starling_cluster.errors import BadInput
from starling_cluster.formula import parameter_values
from starling_cluster.frameworks import framework_for
from starling_cluster.layout import Flat, Layout, layout_of
from starling_cluster.learning import learn
from starling_cluster.on_mindspore import MindSporeEngine
from starling_cluster.on_mindspore.optimisers import Optimiser
from starling_cluster.streams import Masks, Stream
from starling_cluster.weights import write_weights

BOUND = 1e-4
framework_for("mindspore", "cpu")  # as a job has it
TRAINED = [f"zoo/{name}" for name in ZOO] + ["trained/drawn"]
GOLDENS = ROOT / "model/src/zoo/goldens"
OPS = json.loads((GOLDENS / "ops.json").read_text())
OPTIMISERS = json.loads((GOLDENS / "optimisers.json").read_text())


def by_formula(document: Any) -> tuple[MindSporeEngine, Layout]:
    layout = layout_of(document)
    values = np.zeros(layout.size, dtype=np.float32)
    for entry in layout.entries:
        values[entry.place] = parameter_values(entry.parameter).ravel()
    engine = MindSporeEngine(document, layout)
    engine.write(values)
    return engine, layout


def expect_golden(found: Flat, layout: Layout, goldens: Any) -> None:
    for entry in layout.of_role("weight"):
        golden, tensor = goldens[entry.name], found[entry.place].astype(np.float64)
        places = sorted({j * (len(tensor) - 1) // 11 for j in range(12)})
        largest = golden["max"]
        assert abs(np.abs(tensor).max() - largest) <= BOUND * largest, entry.name
        assert abs(np.linalg.norm(tensor) - golden["norm"]) <= BOUND * golden["norm"], entry.name
        assert np.abs(tensor[places] - golden["entries"]).max() <= BOUND * largest, entry.name


@pytest.mark.parametrize("case", OPS, ids=lambda case: str(case["ir"]["name"]))
def test_every_op_and_loss(case: Any) -> None:
    document = parse_document(case["ir"])
    engine, layout = by_formula(document)
    loss, gradient = engine.gradient(rows_by_formula(document, "train", case["rows"]))
    assert loss == pytest.approx(case["loss"], rel=BOUND)
    expect_golden(gradient, layout, case["gradients"])
    meta = case["meta"]
    support = rows_by_formula(document, "support", meta["supportRows"])
    query = rows_by_formula(document, "query", meta["queryRows"])
    outcome = engine.meta_gradient(support, query, 1, meta["innerRate"], 1)
    expect_golden(outcome.gradient, layout, meta["first"]["gradients"])


@pytest.mark.parametrize("run", OPTIMISERS["runs"], ids=lambda run: json.dumps(run["optimiser"]))
def test_every_optimiser(run: Any) -> None:
    document = parse_document(OPTIMISERS["ir"])
    engine, layout = by_formula(document)
    batch = rows_by_formula(document, "train", OPTIMISERS["rows"])
    engine.start(run["optimiser"])
    rate = run["optimiser"]["rate"]
    losses = [engine.step(batch, rate, Masks(0, step)) for step in range(1, len(run["losses"]) + 1)]
    assert losses == pytest.approx(run["losses"], rel=BOUND)
    expect_golden(engine.read(), layout, run["weights"])


def test_an_unknown_optimiser_is_refused() -> None:
    with pytest.raises(BadInput, match="lion"):
        Optimiser({"kind": "lion", "rate": 1}, [])


@pytest.mark.parametrize("name", TRAINED)
def test_predictions_gradients_and_twenty_steps(parity: Parity, name: str) -> None:
    case = parity.case(name)
    facts, optimiser = case.facts, case.document.optimiser
    assert optimiser is not None
    engine = MindSporeEngine(case.document, case.layout())
    engine.write(case.weights("initial"))
    batch = case.rows("train", facts["rows"])
    wanted = case.result("logits")
    assert np.abs(engine.predict(batch).ravel() - wanted).max() <= BOUND * np.abs(wanted).max()
    loss, gradient = engine.gradient(batch)
    assert loss == pytest.approx(facts["loss"], rel=BOUND)
    assert relative_fault(case.layout(), gradient, case.result("gradient")) <= BOUND
    engine.start(optimiser)
    random, order, losses = Stream(facts["seed"], "parity"), list(range(facts["rows"])), []
    for step in range(1, facts["steps"] + 1):
        random.shuffle(order)
        rows = order[: max(2, len(order) - 1)]
        losses.append(engine.step(batch.take(rows), facts["rate"], Masks(facts["seed"], step)))
    assert losses == pytest.approx(facts["losses"], rel=BOUND)
    expect_same_course(engine.read(), case.weights("trained"), BOUND)


@pytest.mark.parametrize("name", TRAINED)
def test_weights_come_back_bit_for_bit(parity: Parity, name: str) -> None:
    case = parity.case(name)
    engine = MindSporeEngine(case.document, case.layout())
    engine.write(case.weights("trained"))
    written = write_weights(case.layout(), engine.read())
    assert written == (case.folder / "trained.safetensors").read_bytes()


def round_of(case: Case) -> Any:
    facts = case.facts
    rates = facts["plan"]["algorithm"] == "meta-sgd"
    engine = MindSporeEngine(case.document, case.layout(rates))
    examples = case.rows("person", facts["count"], facts["recording"])
    return learn(engine, case.weights("shared", rates), examples, facts["plan"], facts["learnSeed"])


@pytest.mark.parametrize(
    "name", [f"{a}-{k}" for a in ("fedavg", "reptile", "fomaml") for k in ("personal", "recordings")]
)
def test_rounds(parity: Parity, name: str) -> None:
    case = parity.case(f"round/{name}")
    update = round_of(case)
    assert relative_fault(case.layout(), update.vector, case.weights("update")[case.layout().learnable]) <= BOUND
    assert update.after.correct == case.facts["metrics"]["correctAfter"]


@pytest.mark.parametrize("name", ["maml-personal", "meta-sgd-personal"])
def test_second_order_is_refused_by_name(parity: Parity, name: str) -> None:
    with pytest.raises(BadInput) as found:
        round_of(parity.case(f"round/{name}"))
    assert found.value.code == "framework-second-order"
