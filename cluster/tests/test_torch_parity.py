"""PyTorch in float64 against the TypeScript engine: every model of the zoo, and a round of every algorithm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import ZOO, Case, Parity, expect_same_course, relative_fault

torch = pytest.importorskip("torch", reason="torch is not installed for this Python")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed for this Python")

from starling_cluster.engine import Engine
from starling_cluster.fedpack import Examples
from starling_cluster.learning import learn
from starling_cluster.moments import set_statistics
from starling_cluster.on_torch import TorchEngine
from starling_cluster.streams import Masks, Stream
from starling_cluster.weights import write_weights

BOUND = 1e-5
TRAINED = [f"zoo/{name}" for name in ZOO] + ["trained/drawn"]
ALGORITHMS = ("fedavg", "reptile", "fomaml", "maml", "meta-sgd")


def engine_for(case: Case, learned_rates: bool = False) -> TorchEngine:
    return TorchEngine(case.document, case.layout(learned_rates), dtype=torch.float64)


def walk(engine: Engine, case: Case, batch: Examples) -> list[float]:
    """The steps that the script took."""
    facts, optimiser = case.facts, case.document.optimiser
    assert optimiser is not None
    engine.start(optimiser)
    random, order = Stream(facts["seed"], "parity"), list(range(facts["rows"]))
    losses = []
    for step in range(1, facts["steps"] + 1):
        random.shuffle(order)
        rows = order[: max(2, len(order) - 1)]
        losses.append(engine.step(batch.take(rows), facts["rate"], Masks(facts["seed"], step)))
    return losses


@pytest.mark.parametrize("name", TRAINED)
def test_predictions_gradients_and_twenty_steps(parity: Parity, name: str) -> None:
    case = parity.case(name)
    facts, engine = case.facts, engine_for(case)
    engine.write(case.weights("initial"))
    batch = case.rows("train", facts["rows"])
    logits = engine.predict(batch).ravel()
    wanted = case.result("logits")
    assert np.abs(logits - wanted).max() <= BOUND * np.abs(wanted).max()
    loss, gradient = engine.gradient(batch)
    assert loss == pytest.approx(facts["loss"], rel=BOUND)
    assert relative_fault(case.layout(), gradient, case.result("gradient")) <= BOUND
    assert walk(engine, case, batch) == pytest.approx(facts["losses"], rel=BOUND)
    expect_same_course(engine.read(), case.weights("trained"), BOUND)


@pytest.mark.parametrize("name", TRAINED)
def test_judgements(parity: Parity, name: str) -> None:
    case = parity.case(name)
    engine = engine_for(case)
    engine.write(case.weights("initial"))
    found, wanted = engine.judge(case.rows("train", case.facts["rows"])), case.facts["judgement"]
    assert (found.correct, found.count) == (wanted["correct"], wanted["count"])
    assert found.constant_predictor == wanted["constantPredictor"]
    assert found.loss == pytest.approx(wanted["loss"], rel=BOUND)
    assert found.metrics == pytest.approx(wanted["metrics"], rel=BOUND)


@pytest.mark.parametrize("name", TRAINED)
def test_weights_come_back_bit_for_bit(parity: Parity, name: str) -> None:
    case = parity.case(name)
    engine = TorchEngine(case.document, case.layout())
    engine.write(case.weights("trained"))
    written = write_weights(case.layout(), engine.read())
    assert written == (case.folder / "trained.safetensors").read_bytes()


@pytest.mark.parametrize("name", ZOO)
def test_onnx_says_the_same(parity: Parity, name: str) -> None:
    case = parity.case(f"zoo/{name}")
    engine = engine_for(case)
    engine.write(case.weights("initial"))
    batch = case.rows("train", case.facts["rows"])
    session = onnxruntime.InferenceSession(str(case.folder / "model.onnx"), providers=["CPUExecutionProvider"])
    x = batch.x.astype(np.int32) if case.document.takes_tokens else batch.x
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    wanted = engine.predict(batch)
    assert np.abs(found - wanted).max() <= BOUND * np.abs(wanted).max()


@pytest.mark.parametrize("name", [f"{a}-{kind}" for a in ALGORITHMS for kind in ("personal", "recordings")])
def test_rounds(parity: Parity, name: str) -> None:
    hold_round(parity.case(f"round/{name}"))


@pytest.mark.parametrize("name", ["maml-conv4", "meta-sgd-conv4"])
def test_second_order_through_batch_norm_and_pools(parity: Parity, name: str) -> None:
    hold_round(parity.case(f"round/{name}"))


def hold_round(case: Case) -> None:
    facts = case.facts
    plan, rates = facts["plan"], facts["plan"]["algorithm"] == "meta-sgd"
    engine = engine_for(case, rates)
    shared, wanted = case.weights("shared", rates), case.weights("update", rates)
    examples = case.rows("person", facts["count"], facts["recording"])
    update = learn(engine, shared, examples, plan, facts["learnSeed"])
    learnable = engine.layout.learnable
    assert relative_fault(engine.layout, update.vector, wanted[learnable]) <= BOUND
    metrics = facts["metrics"]
    assert update.weight == facts["weight"]
    assert (update.before.correct, update.after.correct) == (metrics["correctBefore"], metrics["correctAfter"])
    assert math.isclose(update.before.loss, metrics["lossBefore"], rel_tol=BOUND)
    assert math.isclose(update.after.loss, metrics["lossAfter"], rel_tol=BOUND)


def test_statistics_of_the_input_are_those_of_typescript(parity: Parity) -> None:
    case = parity.case("round/fedavg-personal")
    wanted = case.weights("shared")
    found = wanted.copy()
    set_statistics(found, case.layout(), [case.rows("person", case.facts["count"])])
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
