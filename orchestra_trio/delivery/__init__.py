"""Delivery: lanes, the order in which they are served, and waiting.

`lanes`, `mailbox` and `strategies` decide, and know neither trio nor tasks. `waiting` lays tasks around them, and
`trio_internals` is the one place that uses private parts of trio. `channels`, `ends`, `oneshot` and `select` are what
users hold.
"""
