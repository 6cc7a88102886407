"""How figures are chosen."""

from __future__ import annotations

from benchmarks.harness import Growth, Peer, Quantity, QuantityPeer, Suite
from tests.benchmarks.harness.contenders import Notes, never, work

MEASURED = Notes().measuring("x")
SUITE = Suite(
    [work(Peer("b", never, package="trio"), name="Ping"), work(name="ping, public", public_only=True)],
    [Growth("startup", never, [1, 2], "thing")],
    [Quantity("ping wait", MEASURED, "us", 100, [QuantityPeer("c", MEASURED, package="no_such_package")])],
)


def test_names_are_those_of_all_kinds() -> None:
    assert SUITE.names == ["Ping", "ping, public", "startup", "ping wait"]


def test_a_part_of_a_name_chooses_in_either_case() -> None:
    assert SUITE.like("PING").names == ["Ping", "ping, public", "ping wait"]
    assert SUITE.like("start").names == ["startup"]
    assert SUITE.like("pong").names == []


def test_whole_names_choose_in_the_order_of_the_suite() -> None:
    assert SUITE.named(["startup", "Ping", "ping"]).names == ["Ping", "startup"]


def test_each_figure_is_meant_for_one_kind_of_process() -> None:
    assert SUITE.meant_for(public_only=True).names == ["ping, public"]
    assert SUITE.meant_for(public_only=False).names == ["Ping", "startup", "ping wait"]


def test_packages_are_those_of_peers_and_the_missing_are_named() -> None:
    assert SUITE.packages == ["trio", "no_such_package"]
    assert SUITE.missing_packages == ["no_such_package"]
