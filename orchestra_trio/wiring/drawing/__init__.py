"""Pictures of a wiring: what is to be seen, and how it is written down as DOT, Mermaid, SVG or plain data."""
