"""The figures for Prometheus, by the room `metrics`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from orchestra_trio.dashboard.guard import refuse

if TYPE_CHECKING:
    from orchestra_trio import RunningOrchestra

__all__ = ["Scraping"]

_NOT_FOUND = 404


class Scraping:
    """Answers Prometheus; collects nothing before it has asked once."""

    def __init__(self, running: RunningOrchestra[Any, Any]) -> None:
        """Answer for one orchestra."""
        self._running = running
        self._registry: Any = None

    def scrape(self, accept: str) -> Response:
        """Return all figures, in the format that the client likes best; 404 where the extra is not installed."""
        try:
            client: Any = import_module("prometheus_client")
            exposition: Any = import_module("prometheus_client.exposition")
            metrics: Any = import_module("orchestra_trio.metrics")
        except ModuleNotFoundError as error:
            return refuse(_NOT_FOUND, f"figures for Prometheus need {error.name}: pip install orchestra-trio[metrics]")
        if self._registry is None:
            registry = client.CollectorRegistry()
            registry.register(metrics.OrchestraCollector(self._running))
            self._registry = registry
        write, content_type = exposition.choose_encoder(accept)
        return Response(write(self._registry), headers={"Content-Type": content_type})
