"""The Unified Model IR as it is written (umir 1, opset 1): JSON with defaults left out, and where to find its parts.

The coordinator checks documents before they are stored (model/src/ir); here a document is trusted to be well formed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

Json = Mapping[str, Any]


class UnsupportedModel(ValueError):
    """A document names something this interpreter does not know."""


@dataclass(frozen=True)
class Parameter:
    id: str
    shape: tuple[int, ...]
    init: Json
    share: str = "global"
    group: str = "body"

    @property
    def is_statistic(self) -> bool:
        """Statistics of the input are set, never trained."""
        return self.init["kind"] in ("inputMean", "inputInverseSd")


@dataclass(frozen=True)
class Node:
    op: str
    inputs: tuple[str, ...]
    out: str
    attrs: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    name: str
    features: Json
    label: Json
    parameters: tuple[Parameter, ...]
    nodes: tuple[Node, ...]
    loss: Json
    optimiser: Json | None
    meta: Json | None
    metrics: tuple[Any, ...]

    @property
    def weights(self) -> tuple[Parameter, ...]:
        """What is trained, in the order of the flat vector that devices and coordinator exchange."""
        return tuple(p for p in self.parameters if not p.is_statistic)

    @property
    def classes(self) -> int:
        """0 where labels are values."""
        return int(self.label["classes"]) if self.label.get("dtype", "i32") == "i32" else 0

    @property
    def takes_tokens(self) -> bool:
        return bool(self.features.get("dtype", "f32") == "i32")

    @property
    def mixes_rows(self) -> bool:
        """Whether rows of one pass influence each other: then a pass must not be cut or padded."""
        return any(node.op == "batchNorm" for node in self.nodes)

    @property
    def adapting(self) -> tuple[Parameter, ...]:
        """What an inner step moves (`meta.adapt`)."""
        groups = (self.meta or {}).get("adapt", ("body", "head"))
        return tuple(p for p in self.weights if p.group in groups)


def parse_document(json_document: Json) -> Document:
    """Raises UnsupportedModel for another version of the IR."""
    for key in ("umir", "opset"):
        if json_document.get(key) != 1:
            raise UnsupportedModel(f'"{key}" is {json_document.get(key)!r}; this interpreter reads 1.')
    inputs = json_document["inputs"]
    label = next(i for i in inputs if i.get("role") == "label")
    usual = "accuracy" if label.get("dtype", "i32") == "i32" else "meanAbsoluteError"
    return Document(
        name=json_document["name"],
        features=next(i for i in inputs if i.get("role", "features") == "features"),
        label=label,
        parameters=tuple(
            Parameter(p["id"], tuple(p["shape"]), p["init"], p.get("share", "global"), p.get("group", "body"))
            for p in json_document["params"]
        ),
        nodes=tuple(Node(n["op"], tuple(n["in"]), n["out"], n.get("attrs", {})) for n in json_document["nodes"]),
        loss=json_document["loss"],
        optimiser=json_document.get("optimiser"),
        meta=json_document.get("meta"),
        metrics=tuple(json_document.get("metrics", (usual,))),
    )


def read_document(path: Path) -> Document:
    return parse_document(json.loads(path.read_text(encoding="utf-8")))
