"""How well a model does on people, before and after it adapts to each: what an evaluation round of the fleet measures."""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from .document import Json
from .engine import Engine
from .errors import BadInput
from .fedpack import Examples
from .layout import Flat
from .learning import adapt
from .split import split_support


def evaluate_people(engine: Engine, values: Flat, people: Mapping[str, Examples], spec: Json) -> Any:
    """Accuracy and loss on each person's query: mean, deciles, and mean of the worst tenth, for every share and number of steps.

    People whose rows cannot be cut are left out, and counted.
    """
    points = [(share, steps) for share in spec["supportShares"] for steps in (0, *spec["steps"])]
    found = np.zeros((len(people), len(points) * 2 + 1))
    for place, examples in enumerate(people.values()):
        if place % engine.group.size == engine.group.rank:
            _evaluate(engine, values, examples, spec, found[place])
    found = engine.group.sum(found.ravel()).reshape(found.shape)
    judged = found[found[:, -1] > 0]
    if len(judged) == 0:
        raise BadInput("examples-too-few", "Nobody has rows enough for a support and a query.")
    return {
        "users": len(judged),
        "leftOut": len(found) - len(judged),
        "points": [
            {
                "supportShare": share,
                "steps": steps,
                "accuracy": _spread(judged[:, 2 * i]),
                "loss": {"mean": float(judged[:, 2 * i + 1].mean())},
            }
            for i, (share, steps) in enumerate(points)
        ],
    }


def _evaluate(engine: Engine, values: Flat, examples: Examples, spec: Json, row: np.ndarray[Any, Any]) -> None:
    results: list[float] = []
    for share in spec["supportShares"]:
        try:
            support, query = split_support(examples, engine.document, share)
        except BadInput:
            return
        personal, taken = values, 0
        for steps in (0, *spec["steps"]):
            if steps > taken:
                personal = adapt(engine, personal, support, steps - taken, spec["rate"])
                taken = steps
            engine.write(personal)
            judgement = engine.judge(query)
            results += [judgement.correct / judgement.count, judgement.mean_loss]
    row[:] = [*results, 1.0]


def _spread(values: np.ndarray[Any, Any]) -> Any:
    worst = np.sort(values)[: max(1, len(values) // 10)]
    deciles = [float(d) for d in np.quantile(values, np.arange(1, 10) / 10)]
    return {"mean": float(values.mean()), "worstTenth": float(worst.mean()), "deciles": deciles}
