"""Training on the rows of all people together, as any data centre would: for a warm start, or towards a teacher."""

from __future__ import annotations

import math
from typing import Any, Iterator

import numpy as np

from .course import Course
from .document import Json
from .engine import Engine, Soft
from .errors import BadInput
from .fedpack import Examples
from .judgement import Logits
from .layout import Flat
from .server_optimiser import rate_at
from .split import Rows
from .streams import Masks, Stream


def train_pooled(
    engine: Engine,
    values: Flat,
    examples: Examples,
    training: Json,
    seed: int,
    course: Course,
    teacher: Logits | None = None,
) -> tuple[Flat, int]:
    """Gives the parameters and how many steps were taken. Every worker trains on its part of each batch."""
    group = engine.group
    if engine.document.mixes_rows and group.size > 1:
        raise BadInput(
            "config-workers",
            "The model mixes rows (batchNorm): parts of a batch would be other batches. Use one worker.",
        )
    count, size = len(examples), training["batchSize"]
    steps = training["steps"] if "steps" in training else training["epochs"] * math.ceil(count / size)
    recipe = training["optimiser"] or engine.document.optimiser
    if recipe is None:
        raise BadInput("config-malformed", "training.optimiser is missing, and the model recommends none.")
    before = course.resume()
    engine.write(values if before is None else before.values)
    engine.start({**recipe, "rate": rate_at(recipe["rate"], 1, steps)}, together=True)
    if before is not None:
        engine.restore(before.state)
    for step, rows in enumerate(_batches(count, size, steps, seed), 1):
        if before is not None and step <= before.step:
            continue
        first, mine = _part(rows, group.rank, group.size)
        share = len(mine) / len(rows)
        mine = mine if len(mine) > 0 else rows[:1]  # all workers take part in a step, with a share of 0 if need be
        soft = None
        if teacher is not None:
            soft = Soft(teacher[mine], training["temperature"], training["hardShare"])
        rate = rate_at(recipe["rate"], step, steps)
        loss = engine.step(examples.take(mine), rate, Masks(seed, step, first), share, soft)
        course.after(step, steps, share * loss, engine, engine.read)
    return engine.read(), steps


def together(people: Any) -> Examples:
    """The rows of all people, one behind the other."""
    found = list(people)
    return Examples(np.concatenate([e.x for e in found]), np.concatenate([e.y for e in found]))


def _batches(count: int, size: int, steps: int, seed: int) -> Iterator[Rows]:
    """In a new order for every epoch; the last batch of one may be smaller."""
    random, order = Stream(seed, "shuffle"), list(range(count))
    start = count
    for _ in range(steps):
        if start >= count:
            random.shuffle(order)
            start = 0
        yield np.asarray(order[start : start + size], dtype=np.int64)
        start += size


def _part(rows: Rows, rank: int, size: int) -> tuple[int, Rows]:
    """A worker's share of a batch, and where it begins."""
    bounds = [len(rows) * worker // size for worker in (rank, rank + 1)]
    return bounds[0], rows[bounds[0] : bounds[1]]
