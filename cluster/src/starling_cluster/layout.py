"""Where each tensor of a model lies in its flat vector: weights, then learned rates, then statistics.

The twin of model/src/parameters/layout.ts; this vector, in float32, is what devices and coordinator exchange.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .document import Document, Parameter

Flat = npt.NDArray[np.float32]
RATE_PREFIX = "rate/"


@dataclass(frozen=True)
class Entry:
    name: str
    role: Literal["weight", "rate", "statistic"]
    parameter: Parameter
    offset: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.parameter.shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def place(self) -> slice:
        return slice(self.offset, self.offset + self.size)


@dataclass(frozen=True)
class Layout:
    entries: tuple[Entry, ...]

    def of_role(self, role: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.role == role)

    def range_of(self, *roles: str) -> slice:
        """Where all tensors of these roles lie, which follow one another."""
        found = [entry for entry in self.entries if entry.role in roles]
        return slice(found[0].offset, found[-1].place.stop) if found else slice(0, 0)

    @property
    def weights(self) -> slice:
        return self.range_of("weight")

    @property
    def rates(self) -> slice:
        """As large as the weights with learned rates, else empty."""
        return self.range_of("rate")

    @property
    def learnable(self) -> slice:
        """Weights and rates: what an update covers."""
        return self.range_of("weight", "rate")

    @property
    def has_rates(self) -> bool:
        return any(entry.role == "rate" for entry in self.entries)

    @property
    def size(self) -> int:
        return self.entries[-1].place.stop if self.entries else 0


def layout_of(document: Document, learned_rates: bool = False) -> Layout:
    """With learned rates every weight has a rate of its own, the tensor `rate/<name>` (Meta-SGD)."""
    statistics = [parameter for parameter in document.parameters if parameter.is_statistic]
    rows = [(p.id, "weight", p) for p in document.weights]
    rows += [(RATE_PREFIX + p.id, "rate", p) for p in document.weights] if learned_rates else []
    rows += [(p.id, "statistic", p) for p in statistics]
    entries, offset = [], 0
    for name, role, parameter in rows:
        entries.append(Entry(name, role, parameter, offset))  # type: ignore[arg-type]  # one of the three above
        offset = entries[-1].place.stop
    return Layout(tuple(entries))
