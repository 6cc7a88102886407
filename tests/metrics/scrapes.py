"""Scraping, and reading what was scraped with the real client's parsers."""

from __future__ import annotations

import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

Key = tuple[str, frozenset[tuple[str, str]]]


@attrs.frozen
class Scrape:
    """The samples of one scrape."""

    samples: dict[Key, float]
    types: dict[str, str]

    def __call__(self, name: str, **labels: str) -> float:
        """Return the one sample of that name with exactly these labels."""
        return self.samples[f"orchestra_{name}", frozenset(labels.items())]

    def values(self, name: str, **labels: str) -> list[float]:
        """Return all samples of that name whose labels include these."""
        wanted = set(labels.items())
        return [value for (one, have), value in self.samples.items() if one == f"orchestra_{name}" and wanted <= have]


def read(families: Iterable[Metric]) -> Scrape:
    """Read families; each of them, and each sample, must occur once."""
    samples: dict[Key, float] = {}
    types: dict[str, str] = {}
    for family in families:
        assert family.name not in types
        assert family.documentation
        types[family.name] = family.type
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, key
            samples[key] = sample.value
    return Scrape(samples, types)


def scrape(registry: CollectorRegistry) -> Scrape:
    """Scrape a registry in this thread; both formats must be valid, and tell the same."""
    text = read(parse_text(generate_latest(registry).decode()))
    families = parse_openmetrics(generate_openmetrics(registry).decode())  # type: ignore[no-untyped-call]  # the client's
    openmetrics = read(families)
    assert set(text.samples) == set(openmetrics.samples)
    return text


@contextmanager
def serving(registry: CollectorRegistry) -> Iterator[str]:
    """Serve a registry over HTTP from threads of its own; yield the address."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(address: str) -> Scrape:
    """Scrape over HTTP."""
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - an address of `serving`
        return read(parse_text(answer.read().decode()))
