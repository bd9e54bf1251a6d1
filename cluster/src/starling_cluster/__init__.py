"""The cloud twin of Starling's training framework: the same model document, run by PyTorch or by MindSpore.

Frameworks are imported where they are used: `starling_cluster.on_torch`, `starling_cluster.on_mindspore`.
"""

from .document import Document, Node, Parameter, UnsupportedModel, parse_document, read_document

__all__ = ["Document", "Node", "Parameter", "UnsupportedModel", "parse_document", "read_document"]
