"""The pure part: which parcel goes on next."""

from __future__ import annotations

from random import Random

from orchestra_trio.testing.faults.stages import Chance, Parcel, Reorder, Stage, draw
from tests.testing.faults.lines import Blue, Red


def test_a_stage_by_itself_does_nothing() -> None:
    """What comes first goes on first, as it is, and at once."""
    stage, message = Stage(), Red(1)
    parcels = [Parcel(message, "bounded"), Parcel(Red(2), "bounded")]
    assert stage.results(message, is_request=False) == stage.results(message, is_request=True) == (message,)
    assert stage.seconds(message) == 0
    assert not stage.matches(message)
    assert [draw(stage, parcels).message.number for _ in range(2)] == [1, 2]


def test_only_parcels_of_the_first_ones_lane_and_types_may_go_before_it() -> None:
    """The one before which they go gets their place, so that all others keep theirs."""
    messages = [Red(0), Red(1), Blue(2), Red(3), Red(4)]
    lanes = ["a", "b", "a", "a", "a"]
    outcomes = set()
    for seed in range(50):
        stage = Reorder(Chance((Red,), 1, None, Random(seed)), window=4)
        parcels = [Parcel(message, lane) for message, lane in zip(messages, lanes, strict=True)]
        chosen = draw(stage, parcels)
        outcomes.add((chosen.message.number, *(one.message.number for one in parcels)))
    assert outcomes == {(0, 1, 2, 3, 4), (3, 1, 2, 0, 4)}


def test_a_parcel_of_an_unknown_lane_keeps_its_place() -> None:
    stage = Reorder(Chance((), 1, None, Random(0)), window=9)
    parcels = [Parcel(Red(number), None) for number in range(5)]
    assert [draw(stage, parcels).message.number for _ in range(5)] == [0, 1, 2, 3, 4]
