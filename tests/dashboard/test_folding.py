"""Gathering more subsystems than can be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.dashboard.folding import fold

NAMES = st.lists(
    st.from_regex(r"(worker|shard|_?gate|x)(_[a-c]+)?(_?[0-9]{1,3})?", fullmatch=True), unique=True, max_size=60
)


@given(NAMES, st.integers(2, 12))
def test_each_subsystem_is_shown_in_one_place(names: list[str], most: int) -> None:
    folding = fold(names, most)
    if folding is None:
        assert len(names) <= most
        return
    assert len(names) > most
    assert set(folding.shown) == set(names)
    assert 1 < folding.entries <= most
    for group, members in folding.groups.items():
        assert len(members) > 1
        assert group not in names
        assert all(folding.shown[name] == group for name in members)
        assert list(members) == [name for name in names if name in members]
    grouped = {name for members in folding.groups.values() for name in members}
    assert all(folding.shown[name] == name for name in names if name not in grouped)
    assert f"{len(names):,} subsystems are shown as {folding.entries:,} entries" in folding.rule


def test_numbers_at_the_end_are_tried_first() -> None:
    folding = fold([f"{kind}_{number}" for number in range(3) for kind in ("shard_in", "shard_out")] + ["gate"], 4)
    assert folding is not None
    assert folding.groups == {
        "shard_in*": ("shard_in_0", "shard_in_1", "shard_in_2"),
        "shard_out*": ("shard_out_0", "shard_out_1", "shard_out_2"),
    }
    assert folding.shown["gate"] == "gate"
    assert "differ only in a number" in folding.rule


def test_first_words_come_next() -> None:
    folding = fold(["shard_in", "shard_out", "gate_in", "gate_out", "log"], 3)
    assert folding is not None
    assert folding.groups == {"shard*": ("shard_in", "shard_out"), "gate*": ("gate_in", "gate_out")}
    assert "begin with the same word" in folding.rule


def test_blocks_come_last() -> None:
    """Also where the other rules would gather all in one."""
    folding = fold([f"s{number}" for number in range(1000)])
    assert folding is not None
    assert folding.entries == 50
    assert folding.groups["s0 … s19"] == tuple(f"s{number}" for number in range(20))
    assert "blocks of 20" in folding.rule


def test_few_are_not_folded() -> None:
    assert fold([f"s{number}" for number in range(200)]) is None
    assert fold([f"s{number}" for number in range(201)]) is not None
