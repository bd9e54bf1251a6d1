"""Support and query of one person: the twin of model/src/learning/split.ts and episode.ts."""

from __future__ import annotations

from typing import Sequence

import numpy as np
import numpy.typing as npt

from .document import Document
from .errors import BadInput
from .fedpack import Examples
from .streams import Stream

Rows = npt.NDArray[np.int64]

_QUERY_FROM = 0.5
"""From here on rows are query, whatever the share of the support."""


def split_rows(examples: Examples, classes: int, share: float) -> tuple[Rows, Rows]:
    """Row numbers of support and query. `classes`: 0 where an example has no one class; `share` above 0, at most 0.5.

    Recording r of R is support when r / R < share and query when r / R >= 0.5; without recordings the same holds for the
    i-th of the n rows of each class.
    """
    count = len(examples)
    place = np.arange(count) / max(count, 1)
    if examples.recording is not None:
        place = examples.recording / (examples.recording.max(initial=0) + 1)
    elif classes > 0:
        for label in np.unique(examples.y):
            rows = np.flatnonzero(examples.y == label)
            place[rows] = np.arange(len(rows)) / len(rows)
    return np.flatnonzero(place < share), np.flatnonzero(place >= _QUERY_FROM)


def strata_of(document: Document) -> int:
    """How many classes rows are cut by: 0 where a row has several labels, or values."""
    return document.classes if document.label["shape"] == ["B"] else 0


def split_support(examples: Examples, document: Document, share: float) -> tuple[Examples, Examples]:
    """The cut of an evaluation: by time, never drawn. Raises BadInput when a side is empty."""
    support, query = split_rows(examples, strata_of(document), share)
    _expect_both(len(examples), support, query)
    return examples.take(support), examples.take(query)


def draw_episode(
    examples: Examples, document: Document, shares: Sequence[float], most_query: int, seed: int
) -> tuple[Examples, Examples]:
    """The seed draws the share, which rows stand in the support, and the query rows where there are more."""
    random = Stream(seed, "episode")
    share = shares[random.below(len(shares))]
    support, query = _split_shuffled(examples, strata_of(document), share, random)
    _expect_both(len(examples), support, query)
    order = query.tolist()
    random.shuffle(order)
    return examples.take(np.sort(support)), examples.take(np.sort(order[:most_query]))


def _split_shuffled(examples: Examples, classes: int, share: float, random: Stream) -> tuple[Rows, Rows]:
    if examples.recording is not None:
        places = _shuffled(int(examples.recording.max(initial=-1)) + 1, random)
        return split_rows(Examples(examples.x, examples.y, places[examples.recording]), classes, share)
    order = _shuffled(len(examples), random)
    labels = examples.y[order] if classes > 0 else examples.y
    support, query = split_rows(Examples(examples.x, labels), classes, share)
    return order[support], order[query]


def _shuffled(many: int, random: Stream) -> Rows:
    order = list(range(many))
    random.shuffle(order)
    return np.asarray(order, dtype=np.int64)


def _expect_both(count: int, support: Rows, query: Rows) -> None:
    if len(support) == 0 or len(query) == 0:
        found = f"{len(support)} support and {len(query)} query rows"
        raise BadInput("examples-too-few", f"{count} rows give {found}; some of both are needed.")
