"""Fresh parameters, bit for bit those of model/src/parameters/initialise.ts for the same seed."""

from __future__ import annotations

import math

import numpy as np

from .document import Document, Parameter
from .layout import Flat, layout_of
from .streams import Doubles, floats

_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10


def initialise(document: Document, seed: int, learned_rates: float | None = None) -> Flat:
    """Each tensor from the stream `init/<name>`; rates, where there are any, all start at `learned_rates`."""
    layout = layout_of(document, learned_rates is not None)
    values = np.zeros(layout.size, dtype=np.float32)
    for entry in layout.entries:
        values[entry.place] = learned_rates if entry.role == "rate" else _draw(entry.parameter, entry.size, seed)
    return values


def _draw(parameter: Parameter, size: int, seed: int) -> Doubles | float:
    kind = parameter.init["kind"]
    stream = f"init/{parameter.id}"
    if kind in ("zeros", "inputMean"):
        return 0.0
    if kind in ("ones", "inputInverseSd"):
        return 1.0
    if kind == "constant":
        return float(parameter.init["value"])
    if kind == "normal":
        return _normal(size, float(parameter.init["deviation"]), seed, stream)
    bound = _bound(parameter)
    return bound * (2 * floats(seed, stream, 0, size) - 1)


def _bound(parameter: Parameter) -> float:
    shape, kind = parameter.shape, parameter.init["kind"]
    if kind == "uniform":
        return 1 / math.sqrt(parameter.init["fan"])
    fan_in, fan_out = math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]
    return math.sqrt(6 / (fan_in + fan_out)) if kind == "glorotUniform" else math.sqrt(6 / fan_in)


def _normal(size: int, deviation: float, seed: int, stream: str) -> Doubles:
    """In pairs by the polar method (Marsaglia and Bray 1964), with a logarithm that has the same bits everywhere."""
    accepted: list[Doubles] = []
    found, drawn = 0, 0
    wanted = (size + 1) // 2
    while found < wanted:
        attempts = 2 * (wanted - found) + 16
        pairs = 2 * floats(seed, stream, 2 * drawn, 2 * attempts).reshape(-1, 2) - 1
        drawn += attempts
        square = pairs[:, 0] * pairs[:, 0] + pairs[:, 1] * pairs[:, 1]
        inside = (square < 1) & (square != 0)
        pairs, square = pairs[inside], square[inside]
        factor = deviation * np.sqrt((-2 * _log(square)) / square)
        accepted.append(pairs * factor[:, None])
        found += len(pairs)
    return np.concatenate(accepted).ravel()[:size]


def _log(x: Doubles) -> Doubles:
    """Natural logarithm of normal numbers above 0 by + - * / alone: the twin of `log` in model/src/numeric.ts."""
    mantissa, exponent = np.frexp(x)  # in [1/2, 1)
    m, k = 2 * mantissa, exponent.astype(np.float64) - 1
    large = m >= math.sqrt(2)
    m, k = np.where(large, m / 2, m), np.where(large, k + 1, k)
    s = (m - 1) / (m + 1)
    square = s * s
    total: Doubles = np.full_like(s, 0.043478260869565216)
    for coefficient in _LOG_SERIES:
        total = total * square + coefficient
    logarithm: Doubles = k * _LN2_HIGH + (k * _LN2_LOW + 2 * s * total)
    return logarithm


_LOG_SERIES = tuple(1 / n for n in range(21, 0, -2))
