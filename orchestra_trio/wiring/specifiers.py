"""What `subsystem(...)` and `subsystem_if(...)` say about a slot, unchecked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra_trio.records import LaneStrategy
    from orchestra_trio.wiring.features import Feature
    from orchestra_trio.wiring.restart import Restart

__all__ = ["AfterExit", "OnExit", "SubsystemSpec", "subsystem", "subsystem_if"]

OnExit: TypeAlias = Literal["continue", "stop"]
"""What the normal end of a subsystem means for the others; `stop` closes the orchestra's input."""

AfterExit: TypeAlias = Literal["raise", "dead_letter"]
"""What a message to a subsystem gets once that has ended."""


@attrs.frozen(kw_only=True, eq=False)
class SubsystemSpec:
    """What `subsystem(...)` was told, unchecked; None leaves it to the annotation or to the class."""

    consumes: object = None
    sends: object = None
    signals: object = None
    message_capacity: int | None = None
    signal_capacity: int | None = None
    priority: bool = False
    unbounded: Mapping[type, str] = attrs.field(factory=dict[type, str])
    select: LaneStrategy | None = None
    restart: Restart | None = None
    restart_group: str | None = None
    on_exit: OnExit = "continue"
    after_exit: AfterExit = "raise"
    readiness: bool = False
    wip: bool = False
    condition: Feature | None = None


@overload
def subsystem(
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    message_capacity: int | None = None,
    signal_capacity: int | None = None,
    priority: bool = False,
    unbounded: Mapping[type, str] | None = None,
    select: LaneStrategy | None = None,
    restart: Restart | None = None,
    restart_group: str | None = None,
    on_exit: OnExit = "continue",
    after_exit: AfterExit = "raise",
    readiness: bool = False,
    wip: Literal[True],
    init: Literal[False] = False,
) -> Any: ...  # noqa: ANN401 - a field specifier stands for a value of the field's own type
@overload
def subsystem(
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    message_capacity: int | None = None,
    signal_capacity: int | None = None,
    priority: bool = False,
    unbounded: Mapping[type, str] | None = None,
    select: LaneStrategy | None = None,
    restart: Restart | None = None,
    restart_group: str | None = None,
    on_exit: OnExit = "continue",
    after_exit: AfterExit = "raise",
    readiness: bool = False,
    wip: Literal[False] = False,
) -> Any: ...  # noqa: ANN401 - as above
def subsystem(  # noqa: PLR0913 - each is one fact about a slot; few are given at once
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    message_capacity: int | None = None,
    signal_capacity: int | None = None,
    priority: bool = False,
    unbounded: Mapping[type, str] | None = None,
    select: LaneStrategy | None = None,
    restart: Restart | None = None,
    restart_group: str | None = None,
    on_exit: OnExit = "continue",
    after_exit: AfterExit = "raise",
    readiness: bool = False,
    wip: bool = False,
    init: bool = False,  # noqa: ARG001 - type checkers alone read it: a wip slot is no argument of the constructor
) -> Any:
    """Say more about a slot than its annotation does.

    Written `parser: Subsystem[Parse, Store] = subsystem(priority=True)`. The values are checked when the class that
    has the field is created, so that errors name both.

    Args:
        consumes: The types it consumes, in place of the annotation's: a type, a union, a tuple of types, or Never.
        sends: The types it sends, likewise.
        signals: The types of signals it subscribes to, likewise.
        message_capacity: Messages that fit into its bounded lane and into its priority lane; the class's by default.
        signal_capacity: Signals that fit into its signal lane; the class's by default.
        priority: Whether it has a priority lane.
        unbounded: The types that it sends unbounded, each with what bounds them elsewhere: `{Log: "one per block"}`.
        select: The strategy by which its message lanes are served; weighted by default.
        restart: After which failures it begins anew; none by default, so that each is a first error.
        restart_group: A name; the slots of one group begin anew together when one of them does.
        on_exit: What its normal end means for the others; "stop" closes the orchestra's input.
        after_exit: What a message to it gets once it has ended.
        readiness: Whether it calls `ctx.started()`, and opening waits for that.
        wip: Whether it is not built yet; nothing is held in it then.
        init: Leave it out; it tells type checkers that a wip slot cannot be set.

    Returns:
        A specification that the class reads; typed as Any, since it stands for a subsystem.

    Source:
        The attribute `#[subsystem(...)]` of a field. Unlike it, unbounded sending is declared, with a reason.
    """
    return SubsystemSpec(
        consumes=consumes,
        sends=sends,
        signals=signals,
        message_capacity=message_capacity,
        signal_capacity=signal_capacity,
        priority=priority,
        unbounded={} if unbounded is None else unbounded,
        select=select,
        restart=restart,
        restart_group=restart_group,
        on_exit=on_exit,
        after_exit=after_exit,
        readiness=readiness,
        wip=wip,
    )


def subsystem_if(  # noqa: PLR0913 - as above
    condition: Feature,
    *,
    consumes: object = None,
    sends: object = None,
    signals: object = None,
    message_capacity: int | None = None,
    signal_capacity: int | None = None,
    priority: bool = False,
    unbounded: Mapping[type, str] | None = None,
    select: LaneStrategy | None = None,
    restart: Restart | None = None,
    restart_group: str | None = None,
    on_exit: OnExit = "continue",
    after_exit: AfterExit = "raise",
    readiness: bool = False,
) -> Any:  # noqa: ANN401 - as above
    """Declare a slot that is in use only with certain features: `subsystem_if(feature("trace") & ~feature("lite"))`.

    Whether they hold is decided when the orchestra is made, with `features={"trace"}`. Where they do, the slot must be
    set; where they do not, it may be, and what stands in it does not run: messages to it become dead letters, with the
    reason "disabled". One that is not set is None.

    Args:
        condition: Made with `feature`.
        consumes: As for `subsystem`, and so are all that follow.
        sends: As there.
        signals: As there.
        message_capacity: As there.
        signal_capacity: As there.
        priority: As there.
        unbounded: As there.
        select: As there.
        restart: As there.
        restart_group: As there.
        on_exit: As there.
        after_exit: As there.
        readiness: As there.

    Returns:
        A specification, as for `subsystem`.

    Raises:
        TypeError: There is no condition.

    Source:
        The attribute `cfg(feature)` of a field.
    """
    if cast("Feature | None", condition) is None:  # which in a specification means that the slot is always in use
        message = 'a condition is missing: write subsystem_if(feature("name")), or subsystem() for a slot always in use'
        raise TypeError(message)
    spec: SubsystemSpec = subsystem(
        consumes=consumes,
        sends=sends,
        signals=signals,
        message_capacity=message_capacity,
        signal_capacity=signal_capacity,
        priority=priority,
        unbounded=unbounded,
        select=select,
        restart=restart,
        restart_group=restart_group,
        on_exit=on_exit,
        after_exit=after_exit,
        readiness=readiness,
    )
    return attrs.evolve(spec, condition=condition)
