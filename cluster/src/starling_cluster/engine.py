"""The contract between learning algorithms and a framework. One engine holds one model on one device.

Vectors cross it as numpy arrays in the IR's layout and order (`layout.py`); what lies beyond is the framework's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Mapping, Protocol

import numpy as np
import numpy.typing as npt

from .document import Document, Json
from .fedpack import Examples
from .judgement import Judgement, Logits
from .layout import Flat, Layout
from .streams import Masks

State = Mapping[str, npt.NDArray[Any]]


class Group(Protocol):
    """The workers of a job."""

    @property
    def rank(self) -> int: ...

    @property
    def size(self) -> int: ...

    def sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The sum over all workers, on each of them."""


@dataclass(frozen=True)
class Alone:
    """A group of one."""

    rank: int = 0
    size: int = 1

    def sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return values


@dataclass(frozen=True)
class Soft:
    """What a teacher says of the rows of a step (Hinton, Vinyals, Dean 2015, section 2)."""

    logits: Logits
    temperature: float
    hard_share: float
    """Share of the labels' own loss, from 0 to 1."""


@dataclass(frozen=True)
class MetaOutcome:
    gradient: Flat
    """Of the mean query loss: by weights, then by rates where they are learned."""
    inner_losses: tuple[float, ...]
    """Mean loss of the support before each inner step."""
    after: Judgement


class Engine(Protocol):
    document: Document
    layout: Layout
    group: Group

    def write(self, values: Flat) -> None:
        """Takes parameters over: `layout.size` values."""

    def read(self) -> Flat:
        """The parameters as they are now, a copy."""

    def start(self, recipe: Json, together: bool = False) -> None:
        """A fresh optimiser. `together`: all workers train one model, each on its rows of every batch."""

    def step(self, batch: Examples, rate: float, masks: Masks, share: float = 1.0, soft: Soft | None = None) -> float:
        """One step of the optimiser on the mean loss of the rows, which it gives.

        `share`: what part of the rows of all workers together these are.
        """

    def state(self) -> State:
        """What the optimiser carries from step to step."""

    def restore(self, state: State) -> None:
        """Goes on from such a state, after `start`."""

    def predict(self, examples: Examples) -> Logits:
        """What the loss takes as its first input, row by row."""

    def judge(self, examples: Examples) -> Judgement: ...

    def gradient(self, examples: Examples) -> tuple[float, Flat]:
        """Mean loss, and its gradient by the weights."""

    def meta_gradient(
        self,
        support: Examples,
        query: Examples,
        inner_steps: int,
        inner_rate: float | Literal["learned"],
        order: Literal[1, 2],
    ) -> MetaOutcome:
        """The gradient of the query loss through steps of full-batch SGD on the support."""
