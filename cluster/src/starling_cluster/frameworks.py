"""Which framework and device a worker has. What was asked for is taken, or refused; nothing is taken in its stead."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from typing import Any, Mapping, Protocol

from .document import Document, UnsupportedModel
from .engine import Engine, Group
from .errors import BadInput, DeviceUnavailable
from .layout import Layout


class Framework(Protocol):
    @property
    def versions(self) -> Mapping[str, str]: ...

    @property
    def device_name(self) -> str: ...

    def group(self) -> Group:
        """The workers that were started together; their processes know one another by their environment."""

    def expect(self, document: Document) -> None:
        """Raises BadInput for a model that cannot be interpreted."""

    def engine(self, document: Document, layout: Layout, group: Group) -> Engine: ...


def framework_for(name: str, device: str, local_rank: int = 0) -> Framework:
    """Raises DeviceUnavailable when the framework is not installed, or it does not see the device."""
    expect_installed(name)
    return OnTorch(device, local_rank) if name == "torch" else OnMindSpore(device, local_rank)


def expect_installed(name: str) -> None:
    """Raises DeviceUnavailable where a framework is not installed for this Python."""
    if importlib.util.find_spec(name) is None:
        raise DeviceUnavailable(f"{name} is not installed for this Python.")


class OnTorch:
    def __init__(self, device: str, local_rank: int) -> None:
        import torch

        self._torch = torch
        self._device = torch.device("cpu")
        self.device_name = "cpu"
        self.versions: Mapping[str, str] = {"torch": str(torch.__version__)}
        if device == "gpu":
            if not torch.cuda.is_available() or torch.cuda.device_count() <= local_rank:
                seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
                raise DeviceUnavailable(f"A GPU was asked for; torch {torch.__version__} sees {seen} CUDA devices.")
            self._device = torch.device("cuda", local_rank)
            torch.cuda.set_device(self._device)
            self.device_name = torch.cuda.get_device_name(self._device)
        if device == "npu":
            self._device = self._npu(local_rank)

    def group(self) -> Group:
        from .on_torch.engine import TorchGroup

        backend = {"cpu": "gloo", "cuda": "nccl", "npu": "hccl"}[self._device.type]
        if not self._torch.distributed.is_initialized():
            self._torch.distributed.init_process_group(backend)
        return TorchGroup(self._device)

    def expect(self, document: Document) -> None:
        from .on_torch import UmirModule

        try:
            UmirModule(document)
        except UnsupportedModel as error:
            raise BadInput("model-unsupported", str(error)) from None

    def engine(self, document: Document, layout: Layout, group: Group) -> Engine:
        from .on_torch import TorchEngine

        return TorchEngine(document, layout, self._device, group)

    def _npu(self, local_rank: int) -> Any:
        if importlib.util.find_spec("torch_npu") is None:
            raise DeviceUnavailable("An NPU was asked for; torch_npu, which lets torch see one, is not installed.")
        import torch_npu

        self.versions = {**self.versions, "torch_npu": torch_npu.__version__}
        if not torch_npu.npu.is_available() or torch_npu.npu.device_count() <= local_rank:
            raise DeviceUnavailable(
                "An NPU was asked for; torch_npu sees none: check the driver, CANN and ASCEND_RT_VISIBLE_DEVICES."
            )
        torch_npu.npu.set_device(local_rank)
        self.device_name = torch_npu.npu.get_device_name(local_rank)
        return self._torch.device("npu", local_rank)


class OnMindSpore:
    def __init__(self, device: str, local_rank: int) -> None:
        import mindspore

        self.versions: Mapping[str, str] = {"mindspore": mindspore.__version__}
        target = {"cpu": "CPU", "gpu": "GPU", "npu": "Ascend"}[device]
        try:
            if device == "npu":
                mindspore.set_device(target, local_rank)
            else:
                mindspore.set_device(target)
            if device == "cpu":
                # Else threads hand every operation on to each other and spin while they wait: four to fifteen times as slow.
                mindspore.runtime.launch_blocking()
        except (RuntimeError, ValueError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise DeviceUnavailable(f"MindSpore {mindspore.__version__} does not take {target}: {reason}") from None
        self.device_name = target

    def group(self) -> Group:
        from .on_mindspore.engine import MindSporeGroup

        return MindSporeGroup()

    def expect(self, document: Document) -> None:
        from .on_mindspore.operations import LOSSES, OPERATIONS

        unknown = {node.op for node in document.nodes} - OPERATIONS.keys() | {document.loss["op"]} - LOSSES.keys()
        if unknown:
            raise BadInput("model-unsupported", f"{', '.join(sorted(unknown))} is not known to the interpreter.")

    def engine(self, document: Document, layout: Layout, group: Group) -> Engine:
        from .on_mindspore import MindSporeEngine

        return MindSporeEngine(document, layout, group)


def probe() -> dict[str, Any]:
    """What this machine can do: for each framework its version, and for each device whether it is there, or why not."""
    found: dict[str, Any] = {}
    for name in ("torch", "mindspore"):
        if importlib.util.find_spec(name) is None:
            found[name] = {"installed": False}
            continue
        devices = {}
        for device in ("cpu", "gpu", "npu"):
            try:
                devices[device] = {"available": True, "name": framework_for(name, device).device_name}
            except DeviceUnavailable as error:
                devices[device] = {"available": False, "reason": str(error)}
        found[name] = {"installed": True, "version": importlib.metadata.version(name), "devices": devices}
    return found


if __name__ == "__main__":
    print(json.dumps(probe(), indent=2))
