"""Pictures of a wiring as SVG: text of our own, with the style in it, and neither scripts nor anything from outside."""
