"""The style of SVG pictures: it works on light pages and on dark ones, with the fonts that are there."""

__all__ = ["STYLE"]


# Every selector is below the picture's own class, since a style holds for a whole page where the picture is set in one.
_RULES = (
    ("text", 'font-family: system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; font-size: 11px;'),
    (".code", 'font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;'),
    (".title", "font-size: 17px; font-weight: 600;"),
    (".name", "font-size: 13px; font-weight: 600;"),
    (".middle", "text-anchor: middle;"),
    (".box", "stroke-width: 1.2;"),
    (".blocking .box", "stroke-width: 2;"),
    (".conditional .box, .wip .box, .disabled .box", "stroke-dasharray: 6 4;"),
    (".line", "fill: none; stroke-width: 1.3;"),
    (".head", "stroke-width: 1.3; stroke-linejoin: round;"),
    (".unbounded .line", "stroke-dasharray: 6 4;"),
    (".blocking .line", "stroke-width: 3;"),
    (".calm .line", "stroke-width: 2;"),
    (".figure", "font-weight: 600;"),
)
_COLOURS = (
    (".paper, .under", "fill: {paper};"),
    ("text", "fill: {ink};"),
    (".quiet", "fill: {quiet};"),
    (".box", "fill: {box}; stroke: {edge};"),
    (".mark .box", "fill: {mark}; stroke: {mark_edge};"),
    (".blocking .box", "fill: {red_box}; stroke: {red};"),
    (".calm .box", "fill: {blue_box}; stroke: {blue};"),
    (".wip .box, .disabled .box", "fill: {faded_box}; stroke: {faded};"),
    (".wip .name, .disabled .name, .faded text", "fill: {quiet};"),
    (".line", "stroke: {edge};"),
    (".head", "fill: {edge}; stroke: {edge};"),
    (".outside .line", "stroke: {mark_edge};"),
    (".outside .head", "fill: {mark_edge}; stroke: {mark_edge};"),
    (".faded .line", "stroke: {faded};"),
    (".faded .head", "fill: {faded}; stroke: {faded};"),
    (".blocking .line", "stroke: {red};"),
    (".blocking .head", "fill: {red}; stroke: {red};"),
    ("text.blocking", "fill: {red};"),
    (".calm .line", "stroke: {blue};"),
    (".calm .head", "fill: {blue}; stroke: {blue};"),
    ("text.calm", "fill: {blue};"),
    (".unbounded .head", "fill: {paper};"),
    (".gauge", "fill: {gauge};"),
    (".level", "fill: {edge};"),
    (".full .level", "fill: {red};"),
)
_LIGHT = {
    "paper": "#ffffff", "ink": "#1c1f24", "quiet": "#5b6370", "box": "#f5f6f8", "edge": "#565f6c",
    "mark": "#eaf5ee", "mark_edge": "#2f7a4f", "red": "#b3261e", "red_box": "#fbe6e3", "blue": "#1f5fa8",
    "blue_box": "#e6f0fb", "faded": "#9299a3", "faded_box": "#fafafa", "gauge": "#dcdfe4",
}  # fmt: skip
_DARK = {
    "paper": "#15181d", "ink": "#e7e9ec", "quiet": "#a3abb6", "box": "#21262d", "edge": "#98a1ad",
    "mark": "#15301f", "mark_edge": "#63bd87", "red": "#ff8a80", "red_box": "#481c19", "blue": "#7db4f5",
    "blue_box": "#16304f", "faded": "#737b86", "faded_box": "#1a1d22", "gauge": "#3a414b",
}  # fmt: skip


def _rules(rules: tuple[tuple[str, str], ...], indent: str = "  ") -> str:
    scoped = ((", ".join(f".orchestra {one}" for one in names.split(", ")), look) for names, look in rules)
    return "\n".join(f"{indent}{names} {{ {look} }}" for names, look in scoped)


def _coloured(colours: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((names, look.format(**colours)) for names, look in _COLOURS)


STYLE = (
    f"{_rules(_RULES)}\n{_rules(_coloured(_LIGHT))}\n"
    f"  @media (prefers-color-scheme: dark) {{\n{_rules(_coloured(_DARK), '    ')}\n  }}"
)
"""The content of the style element."""
