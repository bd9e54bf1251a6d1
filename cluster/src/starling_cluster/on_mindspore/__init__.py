"""The IR in MindSpore: on CPU and on Ascend."""

from .engine import MindSporeEngine

__all__ = ["MindSporeEngine"]
