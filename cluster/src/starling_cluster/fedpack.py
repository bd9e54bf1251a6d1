"""fedpack, version 1: the data of many people in two files, as simulator/src/data reads it."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

import numpy as np
import numpy.typing as npt

from .document import Document, Json
from .errors import BadInput

_DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
_MOST_INDEX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Examples:
    """Rows in the order of time: `x` [n, ...] float32 or int64 ids, `y` [n] classes or [n, ...] values."""

    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    recording: npt.NDArray[np.int64] | None = None
    """Which continuous recording a row belongs to, 0, 1, 2 ...; rows of one may overlap in time."""

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64] | slice) -> Examples:
        return Examples(self.x[rows], self.y[rows])


class Pack:
    """An opened pack. Raises BadInput `pack-*` for anything that does not fit together."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        index = self._index()
        try:
            self.users = {user["id"]: (int(user["offset"]), int(user["count"])) for user in index["users"]}
            self._arrays: Json = dict(index["arrays"])
            (entry,) = (file for file in index["files"] if file["path"] == "data.bin")
            digest = entry["sha256"]
            self._unlabelled = index.get("unlabelled")
            self._rows = sum(count for _, count in self.users.values())
        except (KeyError, TypeError, ValueError) as error:
            raise self._fault("pack-field", f"index.json lacks or misspells a field ({error!r})") from None
        self._check_users(index["users"])
        self._data = self._read("data.bin", 2**31 - 1)
        if hashlib.sha256(self._data).hexdigest() != digest:
            raise self._fault("pack-file-digest", "data.bin is not the file that index.json describes")

    def examples(self, user: str, document: Document, array: str | None = None) -> Examples:
        """A user's labelled rows, checked against the model. `array`: the features; else the first that can be."""
        if user not in self.users:
            raise self._fault("pack-unknown-user", f"there is no user {user!r}")
        features = self._features(array)
        labels = self._stored("y", user).astype(np.int64)
        kept = labels != self._unlabelled if self._unlabelled is not None else np.ones(len(labels), dtype=bool)
        x = self._values(features, user)[kept]
        groups = self._stored("group", user)[kept] if self._is_aligned("group") else None
        recording = None if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.int64)
        return self._fitted(Examples(x, labels[kept], recording), document, user)

    def _fitted(self, examples: Examples, document: Document, user: str) -> Examples:
        x, y = examples.x, examples.y
        wanted = tuple(document.features["shape"][1:])
        if x.shape[1:] != wanted:
            raise self._fault("pack-shape", f"rows have shape {x.shape[1:]}; {document.name} takes {wanted}")
        if document.takes_tokens:
            x = x.astype(np.int64)
            if len(x) > 0 and not (0 <= x.min() and x.max() < document.features["vocabulary"]):
                raise self._fault("pack-tokens", f"user {user!r} has ids outside of the vocabulary")
        elif not np.isfinite(x).all():
            raise self._fault("pack-not-finite", f"user {user!r} has NaN or infinity")
        if document.classes == 0 or document.label["shape"] != ["B"]:
            raise self._fault("pack-no-labels", f"a pack has one class a row; {document.name} wants other labels")
        if len(y) > 0 and not (0 <= y.min() and y.max() < document.classes):
            raise self._fault("pack-label", f"user {user!r} has classes beyond the {document.classes} of the model")
        return Examples(x, y, examples.recording)

    def _features(self, name: str | None) -> str:
        usable = [key for key, array in self._arrays.items() if self._is_aligned(key) and len(array["shape"]) > 1]
        if not usable or (name is not None and name not in usable):
            raise self._fault("pack-no-features", f"features are {', '.join(usable) or 'none'}; {name} was asked for")
        return usable[0] if name is None else name

    def _is_aligned(self, name: str) -> bool:
        return name in self._arrays and self._arrays[name].get("shape", [None])[:1] == [self._rows]

    def _stored(self, name: str, user: str) -> npt.NDArray[Any]:
        if not self._is_aligned(name):
            raise self._fault("pack-no-labels" if name == "y" else "pack-field", f"{name!r} has no row for every row")
        array = self._arrays[name]
        dtype, shape, start = array.get("dtype"), array["shape"], array.get("byteOffset")
        if dtype not in _DTYPES or not all(type(axis) is int and axis > 0 for axis in [*shape, start + 1]):
            raise self._fault("pack-field", f"array {name!r} has no usable dtype, shape or byteOffset")
        if start + math.prod(shape) * np.dtype(dtype).itemsize > len(self._data):
            raise self._fault("pack-array-bounds", f"array {name!r} ends behind data.bin")
        whole = np.frombuffer(self._data, np.dtype(dtype).newbyteorder("<"), math.prod(shape), start)
        first, count = self.users[user]
        return whole.reshape(shape)[first : first + count]

    def _values(self, name: str, user: str) -> npt.NDArray[np.float32]:
        """stored * scale + offset, computed in float64 and rounded once."""
        array = self._arrays[name]
        scale = np.asarray(array.get("scale", 1), dtype=np.float64)
        offset = np.asarray(array.get("offset", 0), dtype=np.float64)
        values: npt.NDArray[np.float32] = (self._stored(name, user) * scale + offset).astype(np.float32)
        return values

    def _check_users(self, users: Sequence[Json]) -> None:
        following = 0
        for user in users:
            if user["offset"] != following or len(self.users) != len(users) or user["count"] < 0:
                raise self._fault("pack-user-rows", "users do not follow one another, each once")
            following += user["count"]

    def _index(self) -> Any:
        try:
            index = json.loads(self._read("index.json", _MOST_INDEX_BYTES))
        except ValueError as error:
            raise self._fault("pack-index-unreadable", f"index.json is not JSON ({error})") from None
        if not isinstance(index, dict) or (index.get("format"), index.get("version")) != ("fedpack", 1):
            raise self._fault("pack-format", "index.json is no fedpack of version 1")
        return index

    def _read(self, name: str, most_bytes: int) -> bytes:
        path = self._directory / name
        try:
            if path.stat().st_size > most_bytes:
                raise self._fault("pack-file-size", f"{name} has more than {most_bytes} bytes")
            return path.read_bytes()
        except OSError as error:
            raise self._fault("pack-missing", f"{name} cannot be read ({error.strerror})") from None

    def _fault(self, code: str, what: str) -> BadInput:
        return BadInput(code, f"The pack {self._directory.name}: {what}.")
