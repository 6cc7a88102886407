"""The demo on a live page: what an embedding program adds to have one, and how long it stays."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import trio

from orchestra_trio import RunningOrchestra
from orchestra_trio.cli.demo.display import Display
from orchestra_trio.cli.demo.messages import Stop, Tick
from orchestra_trio.cli.demo.program import Outcome, wait_for_end
from orchestra_trio.cli.printing import Misuse

__all__ = ["find_dashboard", "index_with_page"]


class _Index(Protocol):
    """Indexes a folder, and shows the orchestra to somebody before it begins."""

    def __call__(
        self, signals: AsyncIterator[int], on_open: Callable[[RunningOrchestra[Stop | Tick]], Awaitable[None]], /
    ) -> Awaitable[Outcome]: ...


def find_dashboard() -> Any:  # noqa: ANN401 - the dashboard is an extra
    """Return what serves a live page.

    Raises:
        Misuse: The extra is not installed.
    """
    try:
        from orchestra_trio.dashboard import serve_dashboard  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise Misuse(f"{error}: pip install 'orchestra-trio[dashboard]'") from error
    return serve_dashboard


async def index_with_page(
    index: _Index,
    serve_dashboard: Any,  # noqa: ANN401 - an extra
    display: Display,
    show: Callable[[Outcome], object],
    signals: AsyncIterator[int],
) -> Outcome:
    """Index a folder with a live page beside it, show what came of it, and stay until a signal ends the program.

    If a signal has ended the work, the page ends with it.

    Args:
        index: Indexes the folder.
        serve_dashboard: Serves the page.
        display: Says where the page is.
        show: Shows what came of the work, once it has come.
        signals: Their numbers, as `trio.open_signal_receiver` gives them.
    """
    async with trio.open_nursery() as pages:  # around the orchestra, so that the page also shows that it has ended

        async def open_page(running: RunningOrchestra[Stop | Tick]) -> None:
            page = await pages.start(partial(serve_dashboard, running))
            display.show_note(f"live page: {page.url}")

        outcome = await index(signals, open_page)
        show(outcome)
        if outcome.interrupted_by is None:
            display.show_note("\nthe live page stays until Ctrl-C")
            await wait_for_end(signals)
        pages.cancel_scope.cancel()
    return outcome
