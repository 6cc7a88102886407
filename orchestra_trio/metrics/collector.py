"""The collector: what a registry of Prometheus' client asks whenever somebody scrapes."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any

from prometheus_client.registry import Collector
from typing_extensions import override

from orchestra_trio.metrics.families import Families
from orchestra_trio.metrics.flights import BUCKETS
from orchestra_trio.metrics.reading import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client.core import Metric

    from orchestra_trio import RunningOrchestra

__all__ = ["OrchestraCollector"]


class OrchestraCollector(Collector):
    """The figures of running orchestras as metrics: `registry.register(OrchestraCollector(running))`.

    A scrape may come from any thread, at any time. The figures are read in trio's thread, in one step; a scrape that
    gets no turn there within `timeout` seconds shows the figures that were read last, and says how old they are
    (`orchestra_figures_age_seconds`). After an orchestra has ended, scrapes show its last figures.

    A registry takes one such collector: the next orchestra of the same program is given to it with `add`.
    """

    def __init__(
        self,
        running: RunningOrchestra[Any, Any] | None = None,
        *,
        name: str | None = None,
        timeout: float = 5,
        buckets: Sequence[float] = BUCKETS,
    ) -> None:
        """Watch an orchestra, or none at first.

        Args:
            running: The first orchestra, as for `add`.
            name: As for `add`.
            timeout: The most seconds that a scrape waits for trio's thread, for all orchestras together.
            buckets: Upper bounds of the histogram of flights in seconds, ascending; by default from 1 us to 10 s.

        Raises:
            ValueError: The timeout is negative, or the buckets are not ascending.
        """
        if not timeout >= 0:
            raise ValueError(f"timeout must be at least 0 seconds, not {timeout}")
        if not buckets or list(buckets) != sorted(set(buckets)):
            raise ValueError(f"buckets must be ascending numbers, not {buckets!r}")
        self._timeout = timeout
        self._buckets = tuple(map(float, buckets))
        self._lock = Lock()
        self._sources: dict[str, Source] = {}
        if running is not None:
            self.add(running, name=name)

    def add(self, running: RunningOrchestra[Any, Any], *, name: str | None = None) -> None:
        """Watch one more orchestra from now on. To be called in trio's thread, while the orchestra runs.

        Args:
            running: The orchestra.
            name: The value of the label `orchestra`; the name of the class if None. An orchestra of the same name that
                has ended is forgotten: its counters begin anew, as Prometheus expects it of what was restarted.

        Raises:
            ValueError: An orchestra of that name is watched, and has not ended.
        """
        label = running.name if name is None else name
        before = self._sources.get(label)
        if before is not None:
            before.ask()
            if not before.last.is_over:
                raise ValueError(f"an orchestra {label!r} is watched already, and runs: give this one a name=")
        source = Source(running, self._buckets)
        with self._lock:
            self._sources[label] = source

    def remove(self, name: str) -> None:
        """Show an orchestra no more.

        Args:
            name: The value of its label `orchestra`.

        Raises:
            KeyError: None of that name is watched.
        """
        with self._lock:
            source = self._sources.pop(name)
        source.close()

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without figures: a registry refuses a second collector of the same ones."""
        return Families().all()

    @override
    def collect(self) -> Iterable[Metric]:
        """Return the metrics of all orchestras. From any thread; called by the registry."""
        with self._lock:
            sources = dict(self._sources)
        begun = time.monotonic()
        asked = [source.ask() for source in sources.values()]  # all at once: then they are waited for together
        for answer in asked:
            if answer is not None:
                answer.wait(max(0.0, begun + self._timeout - time.monotonic()))
        families = Families()
        for name, source in sources.items():
            families.add(name, source.last, source.capacities, since=begun)
        return families.all()
