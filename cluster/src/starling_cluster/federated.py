"""Rounds of federated learning on proxy users, without devices: a warm start for the fleet, or a simulation of it.

The algorithms are those of the devices (`learning.py`), the server's half is that of the coordinator
(`server_optimiser.py`). Workers share out the people of a round, so a person is always learnt from whole.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from .course import Course
from .document import Json
from .engine import Engine
from .errors import BadInput
from .evaluation import evaluate_people
from .fedpack import Examples
from .layout import Flat
from .learning import learn
from .server_optimiser import ServerOptimiser, rate_at
from .streams import Stream

People = Mapping[str, Examples]


def train_federated(
    engine: Engine, values: Flat, people: People, held_out: People, training: Json, seed: int, course: Course
) -> tuple[Flat, list[Any]]:
    """Gives the parameters, and what evaluations found between rounds."""
    learnable, rounds = engine.layout.learnable, training["rounds"]
    goal = training["cohort"]["goal"]
    if goal > len(people):
        raise BadInput(
            "config-cohort", f"A cohort of {goal} was asked for; there are {len(people)} people to learn from."
        )
    optimiser = ServerOptimiser(training["optimiser"], learnable.stop)
    before = course.resume()
    if before is not None:
        values = before.values
        optimiser.restore(before.state)
    first = 1 if before is None else before.step + 1
    history: list[Any] = []
    for number in range(first, rounds + 1):
        cohort = _cohort(list(people), goal, seed, number)
        mean, loss = _round(engine, values, {user: people[user] for user in cohort}, training, seed, number)
        rate = rate_at(training["optimiser"]["rate"], number, rounds)
        values = values.copy()
        values[learnable] = optimiser.apply(values[learnable], -mean, rate)
        evaluation = training.get("evaluation")
        if evaluation and (number % evaluation["everyRounds"] == 0 or number == rounds):
            history.append({"round": number, **evaluate_people(engine, values, held_out, evaluation)})
        course.after(number, rounds, loss / engine.group.size, optimiser, lambda: values)
    return values, history


def _cohort(users: list[str], goal: int, seed: int, number: int) -> list[str]:
    order = list(range(len(users)))
    Stream(seed, f"cohort/{number}").shuffle(order)
    return [users[place] for place in order[:goal]]


def _round(
    engine: Engine, values: Flat, cohort: People, training: Json, seed: int, number: int
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
    """The weighted mean update, and the mean loss after local learning."""
    size = engine.layout.learnable.stop
    sums = np.zeros(size + 3)  # the updates, their weights, losses, what the losses count
    for place, (user, examples) in enumerate(cohort.items()):
        if place % engine.group.size != engine.group.rank:
            continue
        update = learn(engine, values, examples, training, Stream(seed, f"learn/{number}/{user}").next_uint32())
        sums[:size] += update.weight * update.vector.astype(np.float64)
        sums[size:] += (update.weight, update.after.loss, update.after.count)
    total = engine.group.sum(sums)
    return total[:size] / total[size], float(total[size + 1] / total[size + 2])
