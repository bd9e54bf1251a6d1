"""The cloud twin of Starling's training framework: the same model document, run by PyTorch."""

from .document import Document, Node, Parameter, UnsupportedModel, parse_document, read_document
from .module import UmirModule
from .optimisers import make_optimiser

__all__ = [
    "Document",
    "Node",
    "Parameter",
    "UmirModule",
    "UnsupportedModel",
    "make_optimiser",
    "parse_document",
    "read_document",
]
