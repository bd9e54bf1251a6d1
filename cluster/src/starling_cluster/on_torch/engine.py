"""An engine on PyTorch. Weights and the optimiser's state stay on the device; vectors cross as numpy arrays."""

from __future__ import annotations

from typing import Any, Literal, Mapping

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..document import Document, Json
from ..engine import Alone, Group, MetaOutcome, Soft, State
from ..fedpack import Examples
from ..judgement import Judgement, Logits, judge
from ..layout import Flat, Layout
from ..streams import Masks
from .meta import Tensors, meta_gradient
from .module import UmirModule
from .optimisers import make_optimiser

_ROWS_OF_A_PASS = 1024
"""Rows judged at once, where rows do not influence each other."""


class TorchGroup:
    """The workers of a process group that was set up before: gloo on CPU, nccl on GPU, hccl on NPU."""

    def __init__(self, device: torch.device) -> None:
        self.rank: int = dist.get_rank()
        self.size: int = dist.get_world_size()
        self._device = device

    def sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        exact = torch.float32 if self._device.type == "npu" else torch.float64  # HCCL sums no float64
        tensor = torch.from_numpy(values).to(self._device, exact)
        dist.all_reduce(tensor)
        return tensor.double().cpu().numpy()


class TorchEngine:
    def __init__(
        self,
        document: Document,
        layout: Layout,
        device: torch.device = torch.device("cpu"),
        group: Group = Alone(),
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.document, self.layout, self.group = document, layout, group
        self._device, self._dtype = device, dtype
        self._module = UmirModule(document, dtype).to(device)
        self._rates: Tensors = {}
        self._optimiser: torch.optim.Optimizer | None = None
        self._trained: nn.Module = self._module
        torch.backends.cudnn.allow_tf32 = False  # float32 means float32: TF32 has 10 bits of mantissa

    def write(self, values: Flat) -> None:
        flat = torch.from_numpy(values).to(self._device, self._dtype)
        self._module.write(flat[self.layout.weights])
        self._rates = {}
        for entry in self.layout.entries:
            part = flat[entry.place].reshape(entry.shape)
            if entry.role == "rate":
                self._rates[entry.parameter.id] = self._to_torch(entry.parameter.id, part)
            elif entry.role == "statistic":
                self._module.write_statistic(entry.name, part)

    def read(self) -> Flat:
        values = np.empty(self.layout.size, dtype=np.float32)
        values[self.layout.weights] = self._flat(self._module.weights())
        for entry in self.layout.of_role("rate"):
            values[entry.place] = self._flat({entry.parameter.id: self._rates[entry.parameter.id]})
        for entry in self.layout.of_role("statistic"):
            values[entry.place] = self._module.statistic(entry.name).cpu().numpy().ravel()
        return values

    def start(self, recipe: Json, together: bool = False) -> None:
        self._optimiser = make_optimiser(recipe, self._module.parameters())
        self._trained = self._module
        if together and self.group.size > 1:
            devices = [self._device.index] if self._device.type != "cpu" else None
            self._trained = DistributedDataParallel(self._module, device_ids=devices, broadcast_buffers=False)

    def step(self, batch: Examples, rate: float, masks: Masks, share: float = 1.0, soft: Soft | None = None) -> float:
        assert self._optimiser is not None, "start() comes first"
        for settings in self._optimiser.param_groups:
            settings["lr"] = rate
        self._optimiser.zero_grad()
        x, y = self._rows(batch)
        prediction = self._trained(x, masks=masks)
        loss = self._module.loss_of(prediction, y)
        if soft is not None:
            loss = soft.hard_share * loss + (1 - soft.hard_share) * self._distance(prediction, soft)
        (loss * (share * self._many_together())).backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return loss.item()

    def state(self) -> State:
        assert self._optimiser is not None, "start() comes first"
        found: dict[str, npt.NDArray[Any]] = {}
        for number, slots in self._optimiser.state_dict()["state"].items():
            for name, value in slots.items():
                if value is not None:
                    found[f"{number}/{name}"] = torch.as_tensor(value).cpu().numpy()
        return found

    def restore(self, state: State) -> None:
        assert self._optimiser is not None, "start() comes first"
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            number, name = key.split("/")
            slots.setdefault(int(number), {})[name] = torch.from_numpy(value.copy())
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": slots, "param_groups": groups})

    @torch.no_grad()
    def predict(self, examples: Examples) -> Logits:
        size = len(examples) if self.document.mixes_rows else _ROWS_OF_A_PASS
        parts = [examples.take(slice(start, start + size)) for start in range(0, len(examples), size)]
        return np.concatenate([self._module(self._rows(part)[0]).cpu().numpy() for part in parts])

    def judge(self, examples: Examples) -> Judgement:
        return self._judged(self.predict(examples), examples)

    def gradient(self, examples: Examples) -> tuple[float, Flat]:
        loss = self._module.loss(*self._rows(examples))
        slopes = torch.autograd.grad(loss, list(self._module.tensors))
        return loss.item(), self._flat(dict(zip(self._module.weights(), slopes, strict=True)))

    def meta_gradient(
        self,
        support: Examples,
        query: Examples,
        inner_steps: int,
        inner_rate: float | Literal["learned"],
        order: Literal[1, 2],
    ) -> MetaOutcome:
        rate = self._rates if inner_rate == "learned" else inner_rate
        found = meta_gradient(self._module, self._rows(support), self._rows(query), rate, inner_steps, order)
        parts = [self._flat(found.weights), self._flat(found.rates)] if found.rates else [self._flat(found.weights)]
        with torch.no_grad():
            prediction = self._module(self._rows(query)[0], found.adapted)
        return MetaOutcome(
            np.concatenate(parts),
            tuple(loss.item() for loss in found.inner_losses),
            self._judged(prediction.cpu().numpy(), query),
        )

    def _judged(self, prediction: Logits, examples: Examples) -> Judgement:
        loss = self._module.loss_of(torch.from_numpy(prediction), torch.from_numpy(_labels(examples, prediction)))
        count = examples.y.size if self.document.classes > 0 else len(examples)
        return judge(self.document, prediction, examples.y, loss.item() * count)

    def _distance(self, prediction: Tensor, soft: Soft) -> Tensor:
        """Kullback-Leibler divergence from the teacher at a temperature, scaled so that its gradient keeps its size."""
        classes = prediction.shape[-1]
        logits = (torch.from_numpy(soft.logits).to(prediction), prediction)
        teacher, student = ((z.reshape(-1, classes) / soft.temperature).log_softmax(-1) for z in logits)
        return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * soft.temperature**2

    def _many_together(self) -> int:
        """DistributedDataParallel divides gradients by the number of workers."""
        return self.group.size if isinstance(self._trained, DistributedDataParallel) else 1

    def _rows(self, examples: Examples) -> tuple[Tensor, Tensor]:
        x, y = torch.from_numpy(examples.x).to(self._device), torch.from_numpy(examples.y).to(self._device)
        return x if self.document.takes_tokens else x.to(self._dtype), y if self.document.classes else y.to(self._dtype)

    def _to_torch(self, name: str, value: Tensor) -> Tensor:
        return self._module.layout_of(name).to_torch(value).contiguous()

    def _flat(self, tensors: Mapping[str, Tensor]) -> Flat:
        """Tensors that belong to weights, one behind the other in the IR's layout."""
        layout_of = self._module.layout_of
        parts = [layout_of(name).from_torch(tensor.detach()).reshape(-1) for name, tensor in tensors.items()]
        flat: Flat = torch.cat(parts).to("cpu", torch.float32).numpy()
        return flat


def _labels(examples: Examples, prediction: Logits) -> npt.NDArray[Any]:
    return examples.y if examples.y.dtype.kind == "i" else examples.y.astype(prediction.dtype)
