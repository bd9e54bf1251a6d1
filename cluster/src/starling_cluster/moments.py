"""Statistics of the input for `standardise`: the twins of inputMoments and setStatistics in model/src."""

from __future__ import annotations

from typing import Iterable

import numpy as np

from .fedpack import Examples
from .layout import Entry, Flat, Layout

_SMALLEST_DEVIATION = 1e-6
"""A channel that varies less is constant as far as float32 features go: it is centred, not scaled."""


def lacks_statistics(values: Flat, layout: Layout) -> bool:
    """Whether the model standardises its input by what nobody has measured yet: mean 0, deviation 1."""
    statistics = layout.of_role("statistic")
    unmeasured = (values[entry.place] == _unmeasured(entry) for entry in statistics)
    return bool(statistics) and all(part.all() for part in unmeasured)


def set_statistics(values: Flat, layout: Layout, people: Iterable[Examples]) -> None:
    """Writes mean and inverse deviation of each channel, over all rows of all people, in place."""
    statistics = layout.of_role("statistic")
    if not statistics:
        return
    samples = 0
    total = np.zeros(statistics[0].size)
    squares = np.zeros(statistics[0].size)
    for examples in people:
        x = examples.x.reshape(-1, examples.x.shape[-1]).astype(np.float64)
        total += x.sum(axis=0)
        squares += (x * x).sum(axis=0)
        samples += len(x)
    mean = total / samples
    deviation = np.sqrt(np.maximum(0, squares / samples - mean * mean))
    inverse = np.where(deviation < _SMALLEST_DEVIATION, 1, 1 / np.maximum(deviation, _SMALLEST_DEVIATION))
    for entry in statistics:
        values[entry.place] = mean if _is_mean(entry) else inverse


def _is_mean(entry: Entry) -> bool:
    return bool(entry.parameter.init["kind"] == "inputMean")


def _unmeasured(entry: Entry) -> float:
    return 0.0 if _is_mean(entry) else 1.0
