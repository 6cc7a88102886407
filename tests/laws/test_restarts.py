"""Restarts on random wirings: who begins anew with whom and when, how often, and that nothing is lost by it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio import Restart
from tests.laws.restart_model import RestartModel, wiring_order
from tests.laws.restart_scenes import Life, Member, Scene, make_class, play, scenes
from tests.laws.wirings import name_of

if TYPE_CHECKING:
    from tests.laws.restart_scenes import Performance

JOINS_A_BACKOFF = Scene(
    members=(
        Member(Restart(backoff=1), "x", (Life(after=4),)),
        Member(Restart(backoff=9, order="rest"), "x", (Life(after=2),)),
    ),
    ends_at=30,
)
"""The second still waits for its backoff when the first fails; they begin together."""


def follow(performance: Performance) -> RestartModel:
    """Let the model read the whole trace, and see that it agrees."""
    model = RestartModel(performance.scene)
    for entry in performance.trace:
        model.read(entry)
    model.check_end()
    return model


@given(scenes())
@example(JOINS_A_BACKOFF)
@example(attrs.evolve(JOINS_A_BACKOFF, ends_at=12, is_cancelled=True))
def test_who_begins_anew_when_and_with_whom(scene: Scene) -> None:
    """As the model says; what is not survived comes out in order, and then what could not be because of that."""
    performance = play(scene)
    model = follow(performance)
    assert Counter(map(id, performance.errors)) == Counter(map(id, [*model.errors, *model.unsurvived]))
    assert [error for error in performance.errors if error not in model.unsurvived] == model.errors
    culprits = {one.who for one in performance.trace if one.what == "raise" and one.detail in performance.errors}
    for who, numbers in performance.statistics.items():
        assert numbers.restarts == model.restarts[who] == max(0, performance.begun[who] - 1)
        if who in culprits:
            assert numbers.state == "failed"
        elif model.phase[who] == "over":
            assert numbers.state == "finished"
        else:
            assert numbers.state in {"cancelled", "finished"}


@given(scenes())
def test_nothing_is_lost_or_doubled_from_one_incarnation_to_the_next(scene: Scene) -> None:
    """What was accepted is received exactly once, or is a dead letter; signals too, and the epoch never goes back."""
    performance = play(scene)
    assert Counter(performance.got + performance.dead) == Counter(performance.accepted)
    is_whole = not performance.errors and not scene.is_cancelled
    for slot, member in enumerate(scene.members):
        who = name_of(slot)
        heard, epochs = performance.heard[who], performance.epochs[who]
        assert heard == [*range(1, len(heard) + 1)]
        assert epochs == sorted(epochs)
        assert max(epochs, default=0) == len(heard)
        if is_whole and member.hears and max(scene.broadcasts, default=0) < scene.ends_at:
            assert len(heard) == performance.sent_signals


@given(
    st.integers(1, 6).flatmap(lambda size: st.lists(st.sets(st.integers(0, size - 1)), min_size=size, max_size=size))
)
def test_the_order_of_the_wiring_is_that_of_the_graph(edges: list[set[int]]) -> None:
    """The model finds it by its definition."""
    scene = Scene(tuple(Member(edges=tuple(one)) for one in edges))
    order = [name for component in make_class(scene).graph().components for name in component]
    assert order == wiring_order(scene)
