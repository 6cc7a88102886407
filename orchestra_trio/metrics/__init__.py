"""What a running orchestra measures, for Prometheus.

Needs the extra `metrics`: `pip install 'orchestra-trio[metrics]'`. Reads the orchestra through its public face only;
nothing in the core knows of it.

Modules, each importing only from those before it: `flights` (times of flight, counted into buckets), `reading` (the
figures of one orchestra, brought from trio's thread to whoever scrapes), `families` (what the figures are called) and
`collector`.
"""

from orchestra_trio.metrics.collector import OrchestraCollector

__all__ = ["OrchestraCollector"]
