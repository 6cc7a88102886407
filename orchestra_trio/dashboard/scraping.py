"""The figures for Prometheus, by the room `metrics`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import trio
from starlette.responses import Response

from orchestra_trio.dashboard.guard import refuse

if TYPE_CHECKING:
    from orchestra_trio import RunningOrchestra

__all__ = ["Scraping"]

_NOT_FOUND = 404


class Scraping:
    """Answers Prometheus; collects nothing before it has asked once."""

    def __init__(self, running: RunningOrchestra[Any, Any], threads: trio.CapacityLimiter) -> None:
        """Answer for one orchestra, writing in threads of these."""
        self._threads = threads
        self._running = running
        self._collector: Any = None
        self._registry: Any = None

    def close(self) -> None:
        """Collect no more."""
        if self._collector is not None:
            self._collector.remove(self._running.name)

    async def scrape(self, accept: str) -> Response:
        """Return all figures, in the format that the client likes best; 404 where the extra is not installed.

        The text is written in a thread: of many subsystems that takes tens of milliseconds.
        """
        await trio.lowlevel.checkpoint()
        try:
            client: Any = import_module("prometheus_client")
            exposition: Any = import_module("prometheus_client.exposition")
            metrics: Any = import_module("orchestra_trio.metrics")
        except ModuleNotFoundError as error:
            return refuse(
                _NOT_FOUND, f"figures for Prometheus need {error.name}: pip install 'orchestra-trio[metrics]'"
            )
        if self._registry is None:
            registry = client.CollectorRegistry()
            self._collector = metrics.OrchestraCollector(self._running)
            registry.register(self._collector)
            self._registry = registry
        write, content_type = exposition.choose_encoder(accept)
        text = await trio.to_thread.run_sync(write, self._registry, limiter=self._threads)
        return Response(text, headers={"Content-Type": content_type})
