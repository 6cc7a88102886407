"""The command `top`: the figures of a live page as a table in a terminal.

To be read from `address` (where the page is) and `state` (what it says) to `client` (how it is asked), `table` (how it
is shown) and `command`.
"""
