"""The pytest plugin: fixtures for tests of orchestras, and the trace of a test that has failed.

pytest loads it wherever the library is installed, with its tests or without: so it imports nothing else of the library
before a fixture is asked for. The fixtures are for async tests as pytest-trio runs them, the traces for any test.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from trio.testing import MockClock

    from orchestra_trio.testing.tracing.trace import Trace

__all__ = [
    "orchestra_clock",
    "orchestra_harness",
    "orchestra_traces",
    "pytest_addoption",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
]

_LINES: Final = 50
"""How many events of a trace are shown, unless the option says otherwise."""

_FAILING_ON_HANG: Final = WeakSet[Any]()
"""Tests that fail on a hang already: hypothesis keeps them between runs."""

_TRACES: Final = pytest.StashKey["list[Trace]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("orchestra_trio").addoption(
        "--orchestra-trace",
        metavar="EVENTS",
        type=int,
        default=_LINES,
        help="how many events to show of each orchestra's trace when a test fails that uses the fixture "
        "orchestra_traces, the last ones; 0 for none (default: %(default)s)",
    )


@pytest.fixture
def orchestra_clock() -> MockClock:
    """A clock that jumps whenever all tasks wait; a test that hangs under it fails at once, with who waits for what.

    For async tests that pytest-trio runs; see `trio.testing.MockClock` and `orchestra_trio.testing.fail_on_hang`.
    """
    from trio.testing import MockClock  # noqa: PLC0415 - see the module's head

    return MockClock(autojump_threshold=0)


@pytest.fixture
def orchestra_harness(orchestra_clock: MockClock) -> Callable[..., Any]:
    """`orchestra_trio.testing.open_harness`, under `orchestra_clock`."""
    del orchestra_clock
    from orchestra_trio.testing.harness.opening import open_harness  # noqa: PLC0415 - see the module's head

    return open_harness


@pytest.fixture
def orchestra_traces(request: pytest.FixtureRequest) -> Generator[Sequence[Trace]]:
    """The traces of the orchestras that the test opens, in the order in which they are opened.

    When the test fails, their last events are shown. Of a test that runs trio many times, under schedules or under
    hypothesis, they are those of the last run.
    """
    from orchestra_trio.testing.tracing.recorder import recording  # noqa: PLC0415 - see the module's head

    with recording(last_run_only=True) as traces:
        request.node.stash[_TRACES] = traces
        yield traces


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let hangs be found in tests that use our clock: before pytest-trio makes what runs the test."""
    __tracebackhide__ = True
    if isinstance(item, pytest.Function) and "orchestra_clock" in item.fixturenames:
        by_hypothesis: Any = getattr(item.obj, "hypothesis", None)
        if by_hypothesis is not None:
            by_hypothesis.inner_test = _without_hangs(by_hypothesis.inner_test)
        else:
            item.obj = _without_hangs(item.obj)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the traces to the report of a test that failed."""
    report = yield
    traces = item.stash.get(_TRACES, None)
    option: Any = item.config.getoption("--orchestra-trace")
    most = int(option)
    if call.when == "call" and report.failed and traces and most > 0:
        report.sections.extend((f"orchestra_trio: trace of {one.orchestra}", _last_events(one, most)) for one in traces)
    return report


def _last_events(trace: Trace, most: int) -> str:
    left_out = max(0, len(trace) - most)
    head = [f"... {left_out} events before; --orchestra-trace=EVENTS shows more"] if left_out else []
    return "\n".join([*head, *map(str, trace.events[left_out:])])


def _without_hangs(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return an async test that fails where it would hang; others as they are."""
    if not inspect.iscoroutinefunction(test) or test in _FAILING_ON_HANG:
        return test
    from orchestra_trio.testing.hangs import fail_on_hang  # noqa: PLC0415 - see the module's head

    @wraps(test)
    async def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the test
        async with fail_on_hang():
            return await test(*args, **kwargs)

    _FAILING_ON_HANG.add(run)
    return run
