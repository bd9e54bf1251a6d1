"""Counter-based random streams, the same draws as model/src/random: Philox-4x32-10 under named counters.

Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3. The seed is the key (low
word first); the counter is the 64-bit number of the block and the 64-bit FNV-1a hash of the stream's name.
"""

from __future__ import annotations

from typing import MutableSequence

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
Doubles = npt.NDArray[np.float64]

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_BUFFERED_BLOCKS = 256


def fnv1a64(data: bytes) -> int:
    """FNV-1a of 64 bits (RFC 9923)."""
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return digest


def words(seed: int, name: str, first: int, count: int) -> Words:
    """Words `first` to `first + count` of a stream. Raises ValueError unless the seed is from 0 to 2^53 - 1."""
    if not 0 <= seed < 2**53:
        raise ValueError(f"The seed is {seed}; expected an integer from 0 to {2**53 - 1}.")
    start = first // 4
    blocks = (first + count + 3) // 4 - start
    counter = np.arange(start, start + blocks, dtype=np.uint64)
    hashed = fnv1a64(name.encode("utf-8"))
    c0, c1 = counter & _LOW, counter >> _SHIFT
    c2 = np.full(blocks, hashed & 0xFFFFFFFF, dtype=np.uint64)
    c3 = np.full(blocks, hashed >> 32, dtype=np.uint64)
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(_ROUNDS):
        first_product, second_product = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (second_product >> _SHIFT) ^ c1 ^ np.uint64(k0),
            second_product & _LOW,
            (first_product >> _SHIFT) ^ c3 ^ np.uint64(k1),
            first_product & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    flat: Words = np.stack((c0, c1, c2, c3), axis=1).astype(np.uint32).ravel()
    return flat[first - 4 * start :][:count]


def floats(seed: int, name: str, first: int, count: int) -> Doubles:
    """The same as multiples of 2^-32 in [0, 1)."""
    return words(seed, name, first, count).astype(np.float64) / 2**32


class Stream:
    """The numbers of one stream, one after another."""

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self._name = seed, name
        self._drawn = 0
        self._buffer: list[int] = []

    def next_uint32(self) -> int:
        if not self._buffer:
            buffered = words(self._seed, self._name, self._drawn, 4 * _BUFFERED_BLOCKS)
            self._buffer = buffered[::-1].tolist()
        self._drawn += 1
        return self._buffer.pop()

    def below(self, n: int) -> int:
        """Uniform integer from 0 to n - 1, without bias; n from 1 to 2^32."""
        fair = 2**32 - 2**32 % n  # what lies above would favour small results
        draw = self.next_uint32()
        while draw >= fair:
            draw = self.next_uint32()
        return draw % n

    def shuffle(self, elements: MutableSequence[int]) -> None:
        """Random order, in place (Fisher and Yates; Durstenfeld 1964), from the last place down."""
        for last in range(len(elements) - 1, 0, -1):
            other = self.below(last + 1)
            elements[last], elements[other] = elements[other], elements[last]


class Masks:
    """The masks of dropout for one step: 0 with probability `rate`, else 1 / (1 - rate); `dropout/<number>/<step>`.

    A worker that has rows `first_row` and after of the step's batch draws the masks of those rows.
    """

    def __init__(self, seed: int, step: int, first_row: int = 0) -> None:
        self._seed, self._step, self._first_row = seed, step, first_row
        self._many = 0

    def draw(self, shape: tuple[int, ...], rate: float) -> Doubles:
        size = int(np.prod(shape))
        start = self._first_row * (size // shape[0])
        draws = floats(self._seed, f"dropout/{self._many}/{self._step}", start, size)
        self._many += 1
        return np.where(draws < rate, 0.0, 1 / (1 - rate)).reshape(shape)
