"""Traces: what happened in a running orchestra, written down; whether it kept the laws; and a picture of it."""
