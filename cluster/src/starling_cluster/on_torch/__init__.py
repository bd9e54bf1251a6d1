"""The IR in PyTorch: on CPU, CUDA, or Ascend through torch_npu."""

from .engine import TorchEngine
from .meta import meta_gradient
from .module import UmirModule
from .optimisers import make_optimiser

__all__ = ["TorchEngine", "UmirModule", "make_optimiser", "meta_gradient"]
