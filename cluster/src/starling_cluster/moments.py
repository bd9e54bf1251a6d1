"""Statistics of the input for `standardise`: the twins of inputMoments and setStatistics in model/src."""

from __future__ import annotations

from typing import Iterable

import numpy as np

from .fedpack import Examples
from .layout import Flat, Layout

_SMALLEST_DEVIATION = 1e-6
"""A channel that varies less is constant as far as float32 features go: it is centred, not scaled."""


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
        values[entry.place] = mean if entry.parameter.init["kind"] == "inputMean" else inverse
