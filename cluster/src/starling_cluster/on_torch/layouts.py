"""Between the IR's layout of a parameter and PyTorch's: the only place where they meet.

| op              | input  | IR             | PyTorch        |
| --------------- | ------ | -------------- | -------------- |
| conv1d          | w      | [K, C, F]      | [F, C, K]      |
| conv2d          | w      | [KH, KW, C, F] | [F, C, KH, KW] |
| depthwiseConv2d | w      | [KH, KW, C]    | [C, 1, KH, KW] |
| lstm, gru       | wx, wh | [C, n H]       | [n H, C]       |

Everything else is laid out alike; dense weights stay [in, out], as they are used in a plain product.
"""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple

from torch import Tensor

from ..document import Document, UnsupportedModel


class Layout(NamedTuple):
    to_torch: Callable[[Tensor], Tensor]
    from_torch: Callable[[Tensor], Tensor]


_SAME = Layout(lambda t: t, lambda t: t)
_LAYOUTS: Mapping[tuple[str, int], Layout] = {
    ("conv1d", 1): Layout(lambda t: t.permute(2, 1, 0), lambda t: t.permute(2, 1, 0)),
    ("conv2d", 1): Layout(lambda t: t.permute(3, 2, 0, 1), lambda t: t.permute(2, 3, 1, 0)),
    ("depthwiseConv2d", 1): Layout(lambda t: t.permute(2, 0, 1).unsqueeze(1), lambda t: t[:, 0].permute(1, 2, 0)),
    ("lstm", 1): Layout(lambda t: t.T, lambda t: t.T),
    ("lstm", 2): Layout(lambda t: t.T, lambda t: t.T),
    ("gru", 1): Layout(lambda t: t.T, lambda t: t.T),
    ("gru", 2): Layout(lambda t: t.T, lambda t: t.T),
}


def parameter_layouts(document: Document) -> dict[str, Layout]:
    """The layout of every parameter. Raises UnsupportedModel where two nodes want the same one laid out differently."""
    found: dict[str, Layout] = {}
    ids = {parameter.id for parameter in document.parameters}
    for node in document.nodes:
        for place, name in enumerate(node.inputs):
            if name not in ids:
                continue
            layout = _LAYOUTS.get((node.op, place), _SAME)
            if found.setdefault(name, layout) is not layout:
                raise UnsupportedModel(f'"{name}" is used by ops that lay it out differently.')
    return {name: found.get(name, _SAME) for name in ids}
