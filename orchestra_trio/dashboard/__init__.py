"""The live page: a running orchestra seen from outside, in a browser, by machines, and by `orchestra-trio top`.

It needs the extra `dashboard`. From below to above: pure figures (`rates`, `percentiles`, `folding`, `deadlocks`,
`history`, `snapshot`, `layout`), the one task that looks at the orchestra (`sampling`), what answers requests
(`application`, `stream`) behind who checks them (`hosts`, `guard`), and what carries bytes (`connections`, `serving`).
"""

try:
    from orchestra_trio.dashboard.serving import RunningPage, serve_dashboard
except ModuleNotFoundError as error:
    missing = (error.name or "").partition(".")[0]
    if missing not in {"starlette", "hypercorn", "h11"}:
        raise
    message = f"orchestra_trio.dashboard needs {missing}: pip install orchestra-trio[dashboard]"
    raise ModuleNotFoundError(message, name=missing) from error

__all__ = ["RunningPage", "serve_dashboard"]
