"""A job as one worker sees it: what is read, what is learnt, what is written."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from .checkpoints import Checkpoints
from .config import Job, read_model
from .course import Course, Emit
from .document import Document, Json
from .engine import Engine, Group
from .errors import BadInput, TrainingDiverged
from .evaluation import evaluate_people
from .federated import train_federated
from .fedpack import Examples, Pack
from .frameworks import Framework
from .initialise import initialise
from .layout import RATE_PREFIX, Flat, Layout, layout_of
from .moments import lacks_statistics, set_statistics
from .pooled import together, train_pooled
from .safetensors import write_atomically
from .stopping import Stopping
from .weights import names_of, read_weights, write_weights


def run(job: Job, framework: Framework, group: Group, stopping: Stopping, emit: Emit) -> None:
    """Does the job. The first worker writes what comes out. Raises JobError."""
    started = time.monotonic()
    document = read_model(job.model)
    framework.expect(document)
    training = job.training
    pack = Pack(job.data)
    users = list(job.users if job.users is not None else pack.users)
    judged = training.get("evaluation", {}).get("users", [])
    learners = [user for user in users if user not in set(judged)]
    people = {user: pack.examples(user, document, job.array) for user in learners}
    held_out = {user: pack.examples(user, document, job.array) for user in judged}
    people = {user: examples for user, examples in people.items() if len(examples) > 0}
    if not people:
        raise BadInput("examples-too-few", "There are no labelled rows to learn from.")
    layout, values = _parameters(job, document, people)
    engine = framework.engine(document, layout, group)
    metrics: dict[str, Any] = {
        **{"id": job.id, "kind": job.kind, "framework": job.framework, "versions": framework.versions},
        **{"device": job.device, "deviceName": framework.device_name, "workers": group.size, "seed": job.seed},
        **{"users": len(people), "rows": sum(len(examples) for examples in people.values())},
    }
    if job.kind == "evaluate":
        if training["rate"] == "learned" and not layout.has_rates:
            raise BadInput("weights-mismatch", 'The rate is "learned", and the weights carry no rates.')
        metrics["people"] = evaluate_people(engine, values, people, training)
    else:
        course = Course(
            group, stopping, Checkpoints(job.checkpoints, _digest(job, document)), emit, training["checkpointEvery"]
        )
        values = _learn(job, engine, values, people, held_out, framework, course, metrics)
        if not np.isfinite(values).all():
            raise TrainingDiverged("A weight is not finite; nothing was written.")
        metrics["loss"] = {"first": course.losses[0], "last": course.losses[-1]} if course.losses else None
    stopping.check()
    if group.rank == 0:
        if job.weights_out is not None and job.kind != "evaluate":
            write_atomically(job.weights_out, write_weights(layout, values))
        metrics["seconds"] = round(time.monotonic() - started, 3)
        write_atomically(job.metrics_out, (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())


def _learn(
    job: Job,
    engine: Engine,
    values: Flat,
    people: dict[str, Examples],
    held_out: dict[str, Examples],
    framework: Framework,
    course: Course,
    metrics: dict[str, Any],
) -> Flat:
    training = job.training
    if training["algorithm"] != "sgd":
        values, history = train_federated(engine, values, people, held_out, training, job.seed, course)
        metrics["steps"] = training["rounds"]
        if history:
            metrics["evaluations"] = history
        return values
    rows = together(people.values())
    engine.write(values)
    metrics["before"] = engine.judge(rows).as_json()
    teacher = _teacher(job, engine, rows, framework) if job.kind == "distil" else None
    values, metrics["steps"] = train_pooled(engine, values, rows, training, job.seed, course, teacher)
    metrics["after"] = engine.judge(rows).as_json()
    return values


def _teacher(job: Job, engine: Engine, rows: Examples, framework: Framework) -> Any:
    """What the teacher predicts for every row."""
    assert job.teacher_model is not None and job.teacher_weights is not None  # checked with the configuration
    document = read_model(job.teacher_model)
    student = engine.document
    if student.loss["op"] != "softmaxCrossEntropy" or document.classes != student.classes:
        raise BadInput(
            "teacher-mismatch", "Teacher and student have to tell the same classes by a softmaxCrossEntropy."
        )
    if document.features["shape"] != student.features["shape"] or document.takes_tokens != student.takes_tokens:
        raise BadInput("teacher-mismatch", "Teacher and student have to take the same features.")
    layout, values = _read(job.teacher_weights, document)
    teacher = framework.engine(document, layout, engine.group)
    teacher.write(values)
    return teacher.predict(rows)


def _parameters(job: Job, document: Document, people: dict[str, Examples]) -> tuple[Layout, Flat]:
    """Those that were handed over, with rates added for Meta-SGD; else fresh ones.

    One that trains, from weights that nobody has taken statistics of the input for, begins with those of these people.
    """
    rate = job.training.get("initialRate")
    if job.weights_in is None:
        layout, values = layout_of(document, rate is not None), initialise(document, job.seed, rate)
    else:
        layout, values = _read(job.weights_in, document)
    if job.kind != "evaluate" and lacks_statistics(values, layout):
        set_statistics(values, layout, people.values())
    if rate is None or layout.has_rates:
        return layout, values
    wider = layout_of(document, learned_rates=True)
    spread = np.full(wider.size, rate, dtype=np.float32)
    spread[wider.weights] = values[layout.weights]
    spread[wider.range_of("statistic")] = values[layout.range_of("statistic")]
    return wider, spread


def _read(path: Any, document: Document) -> tuple[Layout, Flat]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput("weights-unreadable", f"{path.name} cannot be read ({error.strerror}).") from None
    layout = layout_of(document, any(name.startswith(RATE_PREFIX) for name in names_of(data)))
    return layout, read_weights(layout, data)


def _digest(job: Job, document: Document) -> str:
    """What a checkpoint has to agree in with the job that goes on from it; not where things lie, or how long it may take."""
    told: Json = {
        "training": job.training,
        "document": asdict(document),
        **{key: getattr(job, key) for key in ("id", "kind", "framework", "users", "array", "seed")},
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
