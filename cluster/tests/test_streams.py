"""The same draws as in TypeScript, bit for bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import Parity

from starling_cluster.initialise import initialise
from starling_cluster.streams import Masks, Stream, floats, words
from starling_cluster.weights import write_weights


def test_shuffles_and_draws_are_those_of_typescript(parity: Parity) -> None:
    wanted = json.loads((parity.folder / "streams.json").read_text())
    stream = Stream(wanted["seed"], wanted["name"])
    order = list(range(50))
    stream.shuffle(order)
    assert order == wanted["order"]
    assert [stream.below(3_000_000_000) for _ in range(20)] == wanted["below"]
    assert [stream.next_uint32() for _ in range(9)] == wanted["words"]


def test_words_are_known_from_their_place_alone() -> None:
    whole = words(5, "place", 0, 5000)
    assert np.array_equal(whole[1237:4001], words(5, "place", 1237, 2764))
    stream = Stream(5, "place")
    assert [stream.next_uint32() for _ in range(5000)] == whole.tolist()


@pytest.mark.parametrize("seed", [-1, 2**53])
def test_a_seed_that_typescript_cannot_hold_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        words(seed, "x", 0, 1)


def test_masks_of_a_worker_are_those_of_its_rows() -> None:
    whole = Masks(3, 2)
    first, second = whole.draw((6, 4), 0.5), whole.draw((6, 2, 3), 0.25)
    part = Masks(3, 2, first_row=4)
    assert np.array_equal(part.draw((2, 4), 0.5), first[4:])
    assert np.array_equal(part.draw((2, 2, 3), 0.25), second[4:])
    assert set(np.unique(first)) == {0.0, 2.0}
    assert np.array_equal(floats(3, "dropout/0/2", 0, 24).reshape(6, 4) < 0.5, first == 0)


def test_fresh_weights_are_those_of_typescript_bit_for_bit(parity: Parity) -> None:
    for name in [*parity.names("zoo"), "trained/drawn"]:
        case = parity.case(name)
        values = initialise(case.document, case.facts["seed"])
        assert np.array_equal(values.view(np.uint32), case.weights("initial").view(np.uint32)), name
        written = write_weights(case.layout(), values)
        assert written == (case.folder / "initial.safetensors").read_bytes(), name


def test_learned_rates_start_where_the_plan_says(parity: Parity) -> None:
    case = parity.case("round/meta-sgd-personal")
    values = initialise(case.document, case.facts["seed"], case.facts["plan"]["initialRate"])
    shared = case.weights("shared", learned_rates=True)
    learnable = case.layout(learned_rates=True).learnable
    assert np.array_equal(values[learnable], shared[learnable])
