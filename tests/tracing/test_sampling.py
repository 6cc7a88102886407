"""Sampling that is decided at the sender."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import trio
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, StaticSampler

import orchestra_trio.tracing
from orchestra_trio import Orchestra, Subsystem
from orchestra_trio.tracing import SampledBySender, instrument_orchestra
from tests.runtime.samples import AnyContext, Ask, Item, Other, answering, idle
from tests.tracing.exported import Exported, has_parent, identity, senders

if TYPE_CHECKING:
    from trio.testing import MockClock


class Chain(Orchestra):
    first: Subsystem[Item, Other | Ask]
    second: Subsystem[Other]
    third: Subsystem[Ask]


def passing(exported: Exported) -> object:
    async def first(ctx: AnyContext) -> None:
        async for item in ctx:
            with exported.provider.get_tracer("test").start_as_current_span("mine"):
                await ctx.send(Other(item.number))
                await ctx.request(Ask, 1)

    return first


class Some(StaticSampler):
    """Samples the roots of what comes from outside that are named so."""

    def __init__(self, name: str) -> None:
        super().__init__(ALWAYS_ON._decision)
        self.name = name

    def should_sample(self, parent_context, trace_id, name, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN201 - as the SDK's
        sampler: Sampler = ALWAYS_ON if name == self.name else ALWAYS_OFF
        return sampler.should_sample(parent_context, trace_id, name, *args, **kwargs)


@pytest.mark.parametrize("wrap", [False, True])
async def test_what_follows_from_a_message_is_sampled_as_a_whole_or_not_at_all(
    autojump_clock: MockClock, wrap: bool
) -> None:
    """Also where another sampler stands around it, so that nothing is known without asking."""
    sampler: Sampler = SampledBySender(Some("yes"))
    exported = Exported.make(ParentBased(sampler) if wrap else sampler)
    tracer = exported.provider.get_tracer("test")
    chain = Chain(first=passing(exported), second=idle, third=answering)  # type: ignore[arg-type]  # of any types
    async with chain.open() as running:
        watch = exported.watch(running)
        for name in ("no", "yes", "no", "no"):
            with tracer.start_as_current_span(name):
                await running.route_message(Item(1))
            await trio.sleep(1)
            await running.route_message(Item(2))
            await trio.sleep(1)
    assert exported.names == {
        "yes": 1,
        "process first": 1,
        "mine": 1,
        "process second": 1,
        "request third": 1,
        "process third": 1,
    }
    assert senders(exported.one("process first")) == [identity(exported.one("yes"))]
    assert senders(exported.one("process second")) == [identity(exported.one("mine"))]
    assert has_parent(exported.one("request third"), exported.one("mine"))
    assert watch.is_empty


async def test_a_message_without_a_sender_is_sampled_as_the_root_says(autojump_clock: MockClock) -> None:
    exported = Exported.make(SampledBySender(Some("process first")))
    chain = Chain(first=passing(exported), second=idle, third=answering)  # type: ignore[arg-type]  # of any types
    async with chain.open() as running:
        exported.watch(running)
        await running.route_message(Item(1))
    assert {"process first", "process second", "mine"} <= set(exported.names)


async def test_while_a_message_that_is_not_sampled_is_handled_its_own_spans_are_not_either(
    autojump_clock: MockClock,
) -> None:
    seen: list[bool] = []
    exported = Exported.make(SampledBySender(ALWAYS_OFF))

    async def first(ctx: AnyContext) -> None:
        async for _ in ctx:
            current = trace.get_current_span()
            seen.append(current.get_span_context().is_valid and not current.is_recording())
        seen.append(trace.get_current_span().get_span_context().is_valid)

    async with Chain(first=first, second=idle, third=idle).open() as running:
        exported.watch(running)
        await running.route_message(Item(1))
    assert seen == [True, False]
    assert exported.names == {}


async def test_lives_are_sampled_whatever_the_root_says(autojump_clock: MockClock) -> None:
    """They are few, and have the signals, restarts and errors."""
    exported = Exported.make(SampledBySender(ALWAYS_OFF))
    async with Chain(first=idle, second=idle, third=idle).open() as running:
        exported.watch(running)
        await running.route_message(Item(1))
    assert {span.name for span in exported.spans} == {"run first", "run second", "run third"}


async def test_an_orchestra_is_instrumented_once_for_each_time_that_it_is_opened(autojump_clock: MockClock) -> None:
    exported = Exported.make(ALWAYS_ON)
    chain = Chain(first=idle, second=idle, third=idle)
    for _ in range(2):
        async with chain.open() as running:
            instrument_orchestra(running, exported.provider)
            with pytest.raises(RuntimeError, match="this run of Chain is instrumented already"):
                instrument_orchestra(running, exported.provider)
            await running.route_message(Item(1))
    assert exported.names == {"process first": 2}


async def test_who_is_known_not_to_be_sampled_is_not_asked_for(autojump_clock: MockClock) -> None:
    asked: list[str] = []

    class Noting(SampledBySender):
        def should_sample(self, parent_context, trace_id, name, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202 - as the SDK's
            asked.append(name)
            return super().should_sample(parent_context, trace_id, name, *args, **kwargs)

    async def first(ctx: AnyContext) -> None:
        async for item in ctx:
            await ctx.send(Other(item.number))
            await ctx.request(Ask, 1)

    exported = Exported.make(Noting(ALWAYS_OFF))
    async with Chain(first=first, second=idle, third=answering).open() as running:
        exported.watch(running)
        await running.route_message(Item(1))
    assert [name for name in asked if not name.startswith("run ")] == ["process first"]


async def test_the_global_provider_is_the_default(autojump_clock: MockClock) -> None:
    """Where none was set, nothing is traced, and nothing goes wrong."""
    async with Chain(first=idle, second=idle, third=answering).open() as running:
        instrument_orchestra(running)
        await running.route_message(Item(1))
        assert await running.request(Ask, 2) == 4


def test_it_says_what_it_is() -> None:
    assert SampledBySender(ALWAYS_ON).get_description() == "SampledBySender{root:AlwaysOnSampler}"


def test_only_the_sampler_needs_the_sdk() -> None:
    program = (
        "import sys, orchestra_trio.tracing\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]\n"
        "orchestra_trio.tracing.SampledBySender\n"
        "assert 'opentelemetry.sdk.trace' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match=r"module 'orchestra_trio\.tracing' has no attribute 'nothing'"):
        orchestra_trio.tracing.nothing  # noqa: B018 - it is what raises
