"""Traces as sequence diagrams of Mermaid: read as arrows and notes, long runs folded, written down."""
