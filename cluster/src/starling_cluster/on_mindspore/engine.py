"""An engine on MindSpore, in float32: the model is a function of its weights, differentiated by `mindspore.value_and_grad`."""

from __future__ import annotations

from typing import Any, Literal, Sequence

import mindspore as ms
import numpy as np
import numpy.typing as npt
from mindspore import Tensor, ops

from ..document import Document, Json
from ..engine import Alone, Group, MetaOutcome, Soft, State
from ..errors import BadInput
from ..fedpack import Examples
from ..judgement import Judgement, Logits, judge
from ..layout import Entry, Flat, Layout
from ..streams import Masks
from .operations import LOSSES, OPERATIONS
from .optimisers import Optimiser

_ROWS_OF_A_PASS = 1024
_NO_SECOND_ORDER = (
    "MindSpore 2.10 differentiates a gradient of matmul or conv2d to a wrong value without saying so, so maml and meta-sgd are "
    "not run on it: use torch, or fomaml, reptile or fedavg."
)
Weights = dict[str, Tensor]
Rows = tuple[Tensor, Tensor]


class MindSporeGroup:
    """The workers that msrun started: mccl on CPU, hccl on Ascend."""

    def __init__(self) -> None:
        from mindspore.communication import get_group_size, get_rank, init

        init()
        self.rank: int = get_rank()
        self.size: int = get_group_size()
        self._all_reduce = ops.AllReduce()

    def sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        total: npt.NDArray[np.float64] = (
            self._all_reduce(Tensor(values.astype(np.float32))).asnumpy().astype(np.float64)
        )
        return total


class MindSporeEngine:
    def __init__(self, document: Document, layout: Layout, group: Group = Alone()) -> None:
        self.document, self.layout, self.group = document, layout, group
        self._held: Weights = {}
        self._optimiser: Optimiser | None = None
        self._together = False

    def write(self, values: Flat) -> None:
        self._held = {e.name: Tensor(values[e.place].reshape(e.shape).copy()) for e in self.layout.entries}

    def read(self) -> Flat:
        values = np.empty(self.layout.size, dtype=np.float32)
        for entry in self.layout.entries:
            values[entry.place] = self._held[entry.name].asnumpy().ravel()
        return values

    def start(self, recipe: Json, together: bool = False) -> None:
        self._optimiser = Optimiser(recipe, self._weights())
        self._together = together and self.group.size > 1

    def step(self, batch: Examples, rate: float, masks: Masks, share: float = 1.0, soft: Soft | None = None) -> float:
        assert self._optimiser is not None, "start() comes first"
        x, y = self._rows(batch)

        def objective(*weights: Tensor) -> Tensor:
            prediction = self._forward(x, self._with(weights), masks)
            loss = self._loss(prediction, y)
            return (
                loss if soft is None else soft.hard_share * loss + (1 - soft.hard_share) * _distance(prediction, soft)
            )

        loss, slopes = self._differentiated(objective, self._weights())
        if self._together:
            slopes = self._summed(slopes, share)
        moved = self._optimiser.apply(self._weights(), slopes, rate)
        self._held = self._with(moved)
        return float(loss.asnumpy())

    def state(self) -> State:
        assert self._optimiser is not None, "start() comes first"
        slots = {
            f"{number}/{entry.name}": tensor.asnumpy()
            for number, slot in enumerate(self._optimiser.slots)
            for entry, tensor in zip(self._trained, slot, strict=True)
        }
        return {"steps": np.array([self._optimiser.steps], dtype=np.int64), **slots}

    def restore(self, state: State) -> None:
        assert self._optimiser is not None, "start() comes first"
        self._optimiser.steps = int(state["steps"][0])
        for number in range(len(self._optimiser.slots)):
            self._optimiser.slots[number] = [
                Tensor(state[f"{number}/{e.name}"].reshape(e.shape).copy()) for e in self._trained
            ]

    def predict(self, examples: Examples) -> Logits:
        size = len(examples) if self.document.mixes_rows else _ROWS_OF_A_PASS
        parts = [examples.take(slice(start, start + size)) for start in range(0, len(examples), size)]
        return np.concatenate([self._forward(self._rows(part)[0], self._held).asnumpy() for part in parts])

    def judge(self, examples: Examples) -> Judgement:
        return self._judged(self.predict(examples), examples)

    def gradient(self, examples: Examples) -> tuple[float, Flat]:
        loss, slopes = self._slopes(self._rows(examples), self._held, self._trained)
        return float(loss.asnumpy()), _flat(slopes)

    def meta_gradient(
        self,
        support: Examples,
        query: Examples,
        inner_steps: int,
        inner_rate: float | Literal["learned"],
        order: Literal[1, 2],
    ) -> MetaOutcome:
        if order == 2 or inner_rate == "learned":
            raise BadInput("framework-second-order", _NO_SECOND_ORDER)
        near, far = self._rows(support), self._rows(query)
        moved = {parameter.id for parameter in self.document.adapting}
        adapting = [entry for entry in self._trained if entry.name in moved]
        adapted, inner_losses = self._held, []
        for _ in range(inner_steps):
            loss, slopes = self._slopes(near, adapted, adapting)
            inner_losses.append(float(loss.asnumpy()))
            steps = {e.name: adapted[e.name] - inner_rate * g for e, g in zip(adapting, slopes, strict=True)}
            adapted = {**adapted, **steps}
        _, slopes = self._slopes(far, adapted, self._trained)
        after = self._forward(far[0], adapted).asnumpy()
        return MetaOutcome(_flat(slopes), tuple(inner_losses), self._judged(after, query))

    @property
    def _trained(self) -> tuple[Entry, ...]:
        return self.layout.of_role("weight")

    def _weights(self) -> list[Tensor]:
        return [self._held[entry.name] for entry in self._trained]

    def _with(self, weights: Sequence[Tensor]) -> Weights:
        return {**self._held, **{e.name: w for e, w in zip(self._trained, weights, strict=True)}}

    def _forward(self, x: Tensor, held: Weights, masks: Masks | None = None) -> Tensor:
        values = {**held, self.document.features["id"]: x}
        for node in self.document.nodes:
            values[node.out] = OPERATIONS[node.op]([values[name] for name in node.inputs], node.attrs, masks)
        return values[self.document.loss["in"][0]]

    def _loss(self, prediction: Tensor, y: Tensor) -> Tensor:
        return LOSSES[self.document.loss["op"]](prediction, y, self.document.loss)

    def _slopes(self, rows: Rows, held: Weights, entries: Sequence[Entry]) -> tuple[Tensor, tuple[Tensor, ...]]:
        def objective(*values: Tensor) -> Tensor:
            here = {**held, **{e.name: value for e, value in zip(entries, values, strict=True)}}
            return self._loss(self._forward(rows[0], here), rows[1])

        return self._differentiated(objective, [held[e.name] for e in entries])

    def _differentiated(self, objective: Any, at: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        loss, slopes = ms.value_and_grad(objective, grad_position=tuple(range(len(at))))(*at)
        return loss, (slopes,) if isinstance(slopes, Tensor) else slopes

    def _summed(self, slopes: Sequence[Tensor], share: float) -> tuple[Tensor, ...]:
        """Gradients of the whole batch, from those of each worker's part."""
        total = self.group.sum(_flat(slopes).astype(np.float64) * share).astype(np.float32)
        return tuple(Tensor(total[e.place].reshape(e.shape)) for e in self._trained)

    def _judged(self, prediction: Logits, examples: Examples) -> Judgement:
        loss = self._loss(Tensor(prediction), self._labels(examples)).asnumpy()
        count = examples.y.size if self.document.classes > 0 else len(examples)
        return judge(self.document, prediction, examples.y, float(loss) * count)

    def _rows(self, examples: Examples) -> Rows:
        x = examples.x.astype(np.int32 if self.document.takes_tokens else np.float32)
        return Tensor(np.ascontiguousarray(x)), self._labels(examples)

    def _labels(self, examples: Examples) -> Tensor:
        y = examples.y.astype(np.int32 if self.document.classes > 0 else np.float32)
        return Tensor(np.ascontiguousarray(y))


def _flat(tensors: Sequence[Tensor]) -> Flat:
    flat: Flat = np.concatenate([tensor.asnumpy().ravel() for tensor in tensors]).astype(np.float32)
    return flat


def _distance(prediction: Tensor, soft: Soft) -> Tensor:
    """Kullback-Leibler divergence from the teacher at a temperature, scaled so that its gradient keeps its size."""
    classes = prediction.shape[-1]
    logits = (Tensor(soft.logits.astype(np.float32)), prediction)
    teacher, student = (ops.log_softmax(z.reshape(-1, classes) / soft.temperature, -1) for z in logits)
    return (ops.exp(teacher) * (teacher - student)).sum(-1).mean() * soft.temperature**2
