"""Values by formula, so that fixtures need not carry them: the same in any language that has 32-bit integers.

Value i of the tensor called `name` is drawn from

    h = fnv1a32(name) + 0x9e3779b9 i                        (modulo 2^32; the name in UTF-8)
    h ^= h >> 16;  h *= 0x7feb352d;  h ^= h >> 15;  h *= 0x846ca68b;  h ^= h >> 16
    u = (h >> 8) / 2^24                                     in [0, 1), exact in float32

(FNV-1a: RFC 9923; the mixing is Wellons' lowbias32.) From u come

    features and targets    2 u - 1                         (binary targets: floor(2 u))
    labels and token ids    floor(u * how many)
    parameters              uniform(fan): (2 u - 1) / sqrt(fan); ones and inputInverseSd: 1 + (2 u - 1) / 4;
                            everything else: (2 u - 1) / 8; each rounded to float32

model/src/zoo/testing/formula.ts is its twin.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .document import Json, Parameter

_MASK = np.uint64(0xFFFFFFFF)


def unit(name: str, count: int) -> npt.NDArray[np.float64]:
    start = 0x811C9DC5
    for byte in name.encode("utf-8"):
        start = (start ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = (np.uint64(start) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B9)) & _MASK
    h ^= h >> np.uint64(16)
    h = h * np.uint64(0x7FEB352D) & _MASK
    h ^= h >> np.uint64(15)
    h = h * np.uint64(0x846CA68B) & _MASK
    h ^= h >> np.uint64(16)
    return (h >> np.uint64(8)).astype(np.float64) / 2**24


def signed(name: str, count: int) -> npt.NDArray[np.float64]:
    return 2 * unit(name, count) - 1


def below(name: str, count: int, many: int) -> npt.NDArray[np.int64]:
    drawn: npt.NDArray[np.int64] = np.floor(unit(name, count) * many).astype(np.int64)
    return drawn


def parameter_values(parameter: Parameter) -> npt.NDArray[np.float64]:
    """The values of a parameter as float32 holds them, in float64."""
    draw = signed(parameter.id, math.prod(parameter.shape))
    kind = parameter.init["kind"]
    if kind == "uniform":
        draw = draw * (1 / math.sqrt(parameter.init["fan"]))
    elif kind in ("ones", "inputInverseSd"):
        draw = 1 + draw / 4
    else:
        draw = draw / 8
    return draw.astype(np.float32).astype(np.float64).reshape(parameter.shape)


def input_values(name: str, spec: Json, rows: int, binary: bool = False) -> npt.NDArray[np.generic]:
    """Rows for an input of a document, called `name`: ids and labels as integers, the rest in float64."""
    shape = (rows, *spec["shape"][1:])
    count = math.prod(shape)
    if spec.get("dtype", "f32") == "i32":
        return below(name, count, spec["classes"] if "classes" in spec else spec["vocabulary"]).reshape(shape)
    values = below(name, count, 2).astype(np.float64) if binary else signed(name, count)
    return values.reshape(shape)
