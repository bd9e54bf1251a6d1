"""The configuration of a job: one JSON file, checked before anything is read or started.

It is the only thing that carries what a tenant wrote. Paths are chosen by whoever runs the job.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Sequence, TypeGuard

from .document import Document, Json, UnsupportedModel, parse_document
from .errors import BadInput

KINDS = ("warm-start", "distil", "evaluate", "simulate")
FRAMEWORKS = ("torch", "mindspore")
EMBEDDED = "embedded"
"""Our own engine, in JavaScript: here it runs simulations on virtual devices alone."""
DEVICES = ("cpu", "gpu", "npu")
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Job:
    id: str
    kind: str
    framework: str
    model: Path
    weights_in: Path | None
    data: Path
    users: tuple[str, ...] | None
    array: str | None
    teacher_model: Path | None
    teacher_weights: Path | None
    weights_out: Path | None
    metrics_out: Path
    checkpoints: Path | None
    workers: int
    cpus_per_worker: int
    device: str
    seed: int
    wall_seconds: float
    training: Json


class Fields:
    """The members of one JSON object, each taken once; `end` refuses those that nobody asked for."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(path or "the configuration", "an object", value)
        self._left = dict(value)
        self._path = path

    def has(self, key: str) -> bool:
        return self._left.get(key) is not None

    def take(self, key: str, expected: str, holds: Callable[[Any], bool], default: Any = ...) -> Any:
        value = self._left.pop(key, None)
        if value is None and default is not ...:
            return default
        if value is None or not holds(value):
            raise _wrong(self._at(key), expected, value)
        return value

    def text(self, key: str, default: Any = ...) -> Any:
        return self.take(
            key, "a text of 1 to 4096 characters", lambda v: isinstance(v, str) and 0 < len(v) <= 4096, default
        )

    def choice(self, key: str, choices: Sequence[str], default: Any = ...) -> Any:
        return self.take(key, f"one of {', '.join(choices)}", lambda v: v in choices, default)

    def path(self, key: str, default: Any = ...) -> Any:
        found = self.text(key, default)
        return Path(found) if isinstance(found, str) else found

    def whole(self, key: str, least: int, most: int, default: Any = ...) -> Any:
        return self.take(
            key, f"a whole number from {least} to {most}", lambda v: _is_whole(v) and least <= v <= most, default
        )

    def number(self, key: str, above: float, most: float, default: Any = ...) -> Any:
        return self.take(
            key, f"a number above {above}, at most {most}", lambda v: _is_number(v) and above < v <= most, default
        )

    def share(self, key: str, default: Any = ...) -> Any:
        return self.take(key, "a number from 0, below 1", lambda v: _is_number(v) and 0 <= v < 1, default)

    def list_of(self, key: str, expected: str, holds: Callable[[Any], bool], most: int, default: Any = ...) -> Any:
        def fits(value: Any) -> bool:
            return isinstance(value, list) and 0 < len(value) <= most and all(map(holds, value))

        return self.take(key, f"1 to {most} of {expected}", fits, default)

    def object(self, key: str) -> Fields:
        return Fields(self._left.pop(key, None), self._at(key))

    def raw(self, key: str) -> Any:
        return self._left.pop(key, None)

    def end(self) -> None:
        unknown = [key for key, value in self._left.items() if value is not None]
        if unknown:
            raise BadInput(
                "config-unknown-key",
                f"{self._path or 'the configuration'} has {', '.join(map(repr, unknown[:8]))}, which nothing reads.",
            )

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def read_job(path: Path) -> Job:
    """Raises BadInput `config-*`."""
    return parse_job(_read_json(path, "config-unreadable"))


def parse_job(json_job: Any) -> Job:
    fields = Fields(json_job, "")
    kind = fields.choice("kind", KINDS)
    framework = fields.choice("framework", (*FRAMEWORKS, EMBEDDED) if kind == "simulate" else FRAMEWORKS)
    teacher = fields.object("teacher") if kind == "distil" else None
    job = Job(
        id=fields.text("id"),
        kind=kind,
        framework=framework,
        model=fields.path("model"),
        weights_in=fields.path("weightsIn", None),
        data=fields.path("data"),
        users=_tuple(fields.list_of("users", "texts", _is_text, 1_000_000, None)),
        array=fields.text("array", None),
        teacher_model=teacher.path("model") if teacher else None,
        teacher_weights=teacher.path("weights") if teacher else None,
        weights_out=fields.path("weightsOut", None) if kind == "evaluate" else fields.path("weightsOut"),
        metrics_out=fields.path("metricsOut"),
        checkpoints=fields.path("checkpoints", None),
        workers=fields.whole("workers", 1, 4096, 1),
        cpus_per_worker=fields.whole("cpusPerWorker", 1, 1024, 1),
        device=fields.choice("device", DEVICES, "cpu"),
        seed=fields.whole("seed", 0, 2**53 - 1, 0),
        wall_seconds=_limits(fields),
        training=fields.raw("training") if framework == EMBEDDED else _training(fields.object("training"), kind),
    )
    if framework == EMBEDDED:
        fields.raw("dataSets")  # its program reads them, and checks the training
    fields.end()
    if teacher:
        teacher.end()
    if kind == "evaluate" and job.weights_in is None:
        raise BadInput("config-malformed", "weightsIn is missing: there is nothing to evaluate.")
    return job


def read_model(path: Path) -> Document:
    """Raises BadInput `model-*`."""
    try:
        return parse_document(_read_json(path, "model-unreadable"))
    except UnsupportedModel as error:
        raise BadInput("model-unsupported", str(error)) from None
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise BadInput("model-malformed", f"The model is no document of the IR ({error!r}).") from None


def _limits(fields: Fields) -> float:
    if not fields.has("limits"):
        return math.inf
    limits = fields.object("limits")
    seconds = limits.number("wallSeconds", 0, 1e8, math.inf)
    limits.end()
    return float(seconds)


def _training(fields: Fields, kind: str) -> Json:
    """The words are those of a plan (docs/plan.md)."""
    if kind == "evaluate":
        found = _evaluation(fields)
    else:
        allowed = (
            PLANS if kind == "warm-start" else ("sgd",) if kind == "distil" else tuple(p for p in PLANS if p != "sgd")
        )
        algorithm = fields.choice("algorithm", allowed)
        found = {
            "algorithm": algorithm,
            **(_pooled(fields, kind) if algorithm == "sgd" else _federated(fields, algorithm)),
        }
        if algorithm != "sgd" and fields.has("evaluation"):
            evaluation = fields.object("evaluation")
            users = evaluation.list_of("users", "texts", _is_text, 1_000_000)
            every = evaluation.whole("everyRounds", 1, 1_000_000, found["rounds"])
            found["evaluation"] = {"users": users, "everyRounds": every, **_evaluation(evaluation)}
            evaluation.end()
        found["checkpointEvery"] = fields.whole("checkpointEvery", 1, 10**9, 100)
    fields.end()
    return found


PLANS = ("sgd", "fedavg", "reptile", "fomaml", "maml", "meta-sgd")


def _pooled(fields: Fields, kind: str) -> Json:
    if fields.has("epochs") == fields.has("steps"):
        raise BadInput("config-malformed", "training has one of epochs and steps.")
    length = (
        {"epochs": fields.whole("epochs", 1, 10**6)}
        if fields.has("epochs")
        else {"steps": fields.whole("steps", 1, 10**9)}
    )
    found: dict[str, Any] = {**length, "batchSize": fields.whole("batchSize", 1, 2**20), "optimiser": None}
    if fields.has("optimiser"):
        found["optimiser"] = _optimiser(fields.object("optimiser"), ("sgd", "adam", "adamw"))
    if kind == "distil":
        found["temperature"] = fields.number("temperature", 0, 1000, 2.0)
        found["hardShare"] = fields.share("hardShare", 0.1)
    return found


def _federated(fields: Fields, algorithm: str) -> Json:
    found: dict[str, Any] = {"rounds": fields.whole("rounds", 1, 10**6)}
    cohort = fields.object("cohort")
    found["cohort"] = {"goal": cohort.whole("goal", 1, 100_000)}
    cohort.end()
    found["optimiser"] = _optimiser(fields.object("optimiser"), ("sgd", "momentum", "adam"))
    if fields.has("clipNorm"):
        found["clipNorm"] = fields.number("clipNorm", 0, math.inf)
    if algorithm in ("fedavg", "reptile"):
        length = "epochs" if algorithm == "fedavg" else "steps"
        found[length] = fields.whole(length, 1, 10_000)
        found["batchSize"] = fields.whole("batchSize", 1, 4096)
        found["rate"] = fields.number("rate", 0, 1000)
        return found
    found["innerSteps"] = fields.whole("innerSteps", 1, 20)
    rate = "initialRate" if algorithm == "meta-sgd" else "innerRate"
    found[rate] = fields.number(rate, 0, 1000)
    found["supportShares"] = _shares(fields)
    found["maxQuery"] = fields.whole("maxQuery", 1, 4096)
    return found


def _evaluation(fields: Fields) -> dict[str, Any]:
    rate = fields.raw("rate") if fields.has("rate") else None
    if rate != "learned" and not (_is_number(rate) and 0 < rate <= 1000):
        raise _wrong("training.rate", 'a number above 0, at most 1000, or "learned"', rate)
    steps = fields.list_of("steps", "whole numbers from 1 to 10000", lambda v: _is_whole(v) and 1 <= v <= 10_000, 8)
    return {"rate": rate, "supportShares": _shares(fields), "steps": sorted(steps)}


def _shares(fields: Fields) -> Any:
    return fields.list_of("supportShares", "numbers above 0, at most 0.5", lambda v: _is_number(v) and 0 < v <= 0.5, 8)


def _optimiser(fields: Fields, kinds: Sequence[str]) -> Json:
    kind = fields.choice("kind", kinds)
    found: dict[str, Any] = {"kind": kind, "rate": _scheduled(fields)}
    if kind in ("sgd", "adamw") or (kind == "adam" and "adamw" in kinds):
        if "adamw" in kinds:
            found["weightDecay"] = fields.take(
                "weightDecay", "a number, 0 or more", lambda v: _is_number(v) and v >= 0, 0.0
            )
    if kind == "momentum" or (kind == "sgd" and "adamw" in kinds):
        found["momentum"] = fields.share("momentum", 0.0)
    if kind == "sgd" and "adamw" in kinds:
        found["nesterov"] = fields.take("nesterov", "true or false", lambda v: isinstance(v, bool), False)
        if found["nesterov"] and found["momentum"] == 0:
            raise BadInput(
                "config-malformed", "training.optimiser.nesterov looks ahead along the momentum, which is 0."
            )
    if kind in ("adam", "adamw"):
        found["beta1"] = fields.share("beta1", 0.9)
        found["beta2"] = fields.share("beta2", 0.999)
        found["epsilon"] = fields.number("epsilon", 0, 1, 1e-8)
    fields.end()
    return found


def _scheduled(fields: Fields) -> Any:
    value = fields.raw("rate") if fields.has("rate") else None
    if isinstance(value, dict):
        line = Fields(value, "training.optimiser.rate")
        found = {"from": line.number("from", 0, 1000), "to": line.number("to", 0, 1000)}
        line.end()
        return found
    if not (_is_number(value) and 0 < value <= 1000):
        raise _wrong("training.optimiser.rate", 'a number above 0, at most 1000, or {"from", "to"}', value)
    return value


def _read_json(path: Path, code: str) -> Any:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(code, f"{path.name} has more than {_MOST_BYTES} bytes.")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(code, f"{path.name} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(code, f"{path.name} is not JSON ({error}).") from None


def _tuple(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(dict.fromkeys(values))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 500


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float) and math.isfinite(value)


def _wrong(where: str, expected: str, value: Any) -> BadInput:
    shown = "missing" if value is None else json.dumps(value)[:80]
    return BadInput("config-malformed", f"{where} is {shown}; expected {expected}.")
