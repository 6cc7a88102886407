"""The live page: a running orchestra seen from outside, in a browser, by machines, and by `orchestra-trio top`.

Needs the extra `dashboard`: `pip install 'orchestra-trio[dashboard]'`. From below to above: pure figures (`rates`,
`percentiles`, `folding`, `deadlocks`, `history`, `snapshot`, `layout`), the one task that looks at the orchestra
(`sampling`), what answers requests (`application`, `stream`) behind who checks them (`hosts`, `guard`), and what
carries bytes (`connections`, `serving`).
"""

from orchestra_trio.dashboard.serving import RunningPage, serve_dashboard

__all__ = ["RunningPage", "serve_dashboard"]
