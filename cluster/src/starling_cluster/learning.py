"""What one person contributes under each algorithm: the twin of model/src/learning, on any engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Iterator, Literal

import numpy as np

from .document import Json
from .engine import Engine
from .errors import TrainingDiverged
from .fedpack import Examples
from .judgement import Judgement
from .layout import Flat
from .split import Rows, draw_episode
from .streams import Masks, Stream


@dataclass(frozen=True)
class Update:
    vector: Flat
    """Direction to add to the shared parameters: weights and rates, 0 where a parameter stays local."""
    weight: int
    before: Judgement
    after: Judgement


def learn(engine: Engine, values: Flat, examples: Examples, plan: Json, seed: int) -> Update:
    """One person's round from the shared `values`, which stay as they are. Raises TrainingDiverged."""
    engine.write(values)
    algorithm = plan["algorithm"]
    if algorithm in ("fedavg", "reptile"):
        found = _train_locally(engine, values, examples, plan, seed)
    else:
        found = _from_episode(engine, examples, plan, seed)
    vector = found.vector
    for entry in engine.layout.entries:
        if entry.parameter.share == "local" and entry.role != "statistic":
            vector[entry.place] = 0
    if not (np.isfinite(vector).all() and math.isfinite(found.after.loss)):
        raise TrainingDiverged("A person's update is not finite; lower the rates or clip.")
    if "clipNorm" in plan:
        length = float(np.linalg.norm(vector.astype(np.float64)))
        vector *= np.float32(min(1.0, plan["clipNorm"] / max(length, 1e-300)))
    return found


def adapt(engine: Engine, values: Flat, support: Examples, steps: int, rate: float | Literal["learned"]) -> Flat:
    """A personal model: steps of SGD on all support rows, on the groups of parameters that adapt."""
    layout = engine.layout
    personal = values.copy()
    adapting = {parameter.id for parameter in engine.document.adapting}
    places = [entry.place for entry in layout.of_role("weight") if entry.name in adapting]
    rates = values[layout.rates] if rate == "learned" else np.full(layout.weights.stop, rate, dtype=np.float32)
    for _ in range(steps):
        engine.write(personal)
        loss, slope = engine.gradient(support)
        for place in places:
            personal[place] -= rates[place] * slope[place]
        if not (math.isfinite(loss) and np.isfinite(personal).all()):
            raise TrainingDiverged("Adaptation diverged: the loss or a weight is not finite.")
    return personal


def _train_locally(engine: Engine, values: Flat, examples: Examples, plan: Json, seed: int) -> Update:
    """SGD on batches; what it moved is the update (McMahan et al. 2017; Nichol, Achiam, Schulman 2018)."""
    averaged = plan["algorithm"] == "fedavg"
    count = len(examples)
    before = engine.judge(examples)
    engine.start({"kind": "sgd", "rate": plan["rate"]})
    batches = _epochs(count, plan, seed) if averaged else _cycles(count, plan, seed)
    for step, rows in enumerate(batches, 1):
        loss = engine.step(examples.take(rows), plan["rate"], Masks(seed, step))
        if not math.isfinite(loss):
            raise TrainingDiverged(f"Step {step} of a person's training gave the loss {loss}.")
    local, learnable = engine.read(), engine.layout.learnable
    vector = local[learnable] - values[learnable]
    return Update(vector, count if averaged else 1, before, engine.judge(examples))


def _from_episode(engine: Engine, examples: Examples, plan: Json, seed: int) -> Update:
    """The negative meta-gradient of one episode (Finn, Abbeel, Levine 2017; Li, Zhou, Chen, Li 2017)."""
    algorithm = plan["algorithm"]
    support, query = draw_episode(examples, engine.document, plan["supportShares"], plan["maxQuery"], seed)
    before = engine.judge(query)
    rate: float | Literal["learned"] = "learned" if algorithm == "meta-sgd" else float(plan["innerRate"])
    order: Literal[1, 2] = 1 if algorithm == "fomaml" else 2
    outcome = engine.meta_gradient(support, query, plan["innerSteps"], rate, order)
    if not all(math.isfinite(loss) for loss in outcome.inner_losses):
        raise TrainingDiverged("An inner loss exploded; lower the inner rate.")
    vector = np.zeros(engine.layout.learnable.stop, dtype=np.float32)
    vector[: len(outcome.gradient)] = -outcome.gradient  # rates that are there, and not learned, stay
    return Update(vector, 1, before, outcome.after)


def _epochs(count: int, plan: Json, seed: int) -> Iterator[Rows]:
    """Every epoch in a new order."""
    random, order, size = Stream(seed, "shuffle"), list(range(count)), plan["batchSize"]
    for _ in range(plan["epochs"]):
        random.shuffle(order)
        for start in range(0, count, size):
            yield np.asarray(order[start : start + size], dtype=np.int64)


def _cycles(count: int, plan: Json, seed: int) -> Iterator[Rows]:
    """A number of batches; a new order when all rows were seen."""
    random, order, size = Stream(seed, "shuffle"), list(range(count)), plan["batchSize"]
    start = count
    for _ in range(plan["steps"]):
        if start >= count:
            random.shuffle(order)
            start = 0
        yield np.asarray(order[start : start + size], dtype=np.int64)
        start += size
