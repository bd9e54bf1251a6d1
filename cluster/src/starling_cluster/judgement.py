"""How well predictions fit labels: the twin of model/src/program/judge-rows.ts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np
import numpy.typing as npt

from .document import Document, Json

Logits = npt.NDArray[np.floating[Any]]

_LARGEST_EXPONENT = 709.0
"""exp of more is no number that JSON could carry."""


@dataclass(frozen=True)
class Judgement:
    loss: float
    """Summed over what `count` counts; cross-entropy in nats."""
    correct: int
    count: int
    """Labels judged; rows where values are predicted."""
    constant_predictor: bool
    metrics: Mapping[str, float]

    @property
    def mean_loss(self) -> float:
        return self.loss / self.count

    def as_json(self) -> Json:
        return {"loss": self.mean_loss, "count": self.count, "metrics": dict(self.metrics)}


def judge(document: Document, logits: Logits, labels: npt.NDArray[Any], loss: float) -> Judgement:
    """`logits` [n, ..., classes], or predicted values; `loss` summed."""
    if document.classes == 0:
        absolute = float(np.abs(_estimates(document, logits) - labels).mean())
        metrics = {"meanAbsoluteError": absolute} if "meanAbsoluteError" in document.metrics else {}
        return Judgement(loss, 0, len(labels), False, metrics)
    scores = logits.reshape(-1, document.classes)
    wanted = labels.reshape(-1)
    predicted = scores.argmax(axis=1)
    correct = int((predicted == wanted).sum())
    count = len(wanted)
    metrics = {
        _name(metric): _metric(metric, scores, wanted, predicted, correct / count, loss / count, document.classes)
        for metric in document.metrics
    }
    constant = len(np.unique(predicted)) == 1 and len(np.unique(wanted)) > 1
    return Judgement(loss, correct, count, constant, metrics)


def _estimates(document: Document, logits: Logits) -> Logits:
    return 1 / (1 + np.exp(-logits)) if document.loss["op"] == "binaryCrossEntropy" else logits


def _name(metric: Any) -> str:
    return metric if isinstance(metric, str) else f"top{metric['k']}"


def _metric(
    metric: Any,
    scores: Logits,
    wanted: npt.NDArray[Any],
    predicted: npt.NDArray[Any],
    accuracy: float,
    mean_loss: float,
    classes: int,
) -> float:
    if metric == "accuracy":
        return accuracy
    if metric == "perplexity":
        return math.exp(min(mean_loss, _LARGEST_EXPONENT))
    if metric == "f1":
        labelled, found = (np.bincount(codes, minlength=classes) for codes in (wanted, predicted))
        agreed = np.bincount(wanted[wanted == predicted], minlength=classes)
        total = labelled + found
        return float((2 * agreed[total > 0] / total[total > 0]).mean())
    own = scores[np.arange(len(wanted)), wanted][:, None]
    earlier = np.arange(classes)[None, :] < wanted[:, None]
    before = ((scores > own) | ((scores == own) & earlier)).sum(axis=1)
    return float((before < metric["k"]).mean())
