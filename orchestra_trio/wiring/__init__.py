"""Wiring: what a class declares, checked once, while the class is created.

Everything here is pure: it knows types and names, and no task, no channel and no trio.
"""
