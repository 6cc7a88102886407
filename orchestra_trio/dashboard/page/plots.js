// The last minute of one figure, as a small plot.

import { count } from "./format.js";
import { html, say, set, svg } from "./build.js";

const WIDTH = 120;
const HEIGHT = 40;

/** A figure with its name, its value now, and its last minute. */
export class Plot {
  constructor(parent, title, text = count) {
    this.title = title;
    this.text = text;
    this.now = html("b", {}, "–");
    this.area = svg("path", { class: "plot-area" });
    this.line = svg("path", { class: "plot-line" });
    this.picture = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      svg("line", { class: "plot-base", x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT }),
      this.area,
      this.line,
    );
    this.most = html("p", { class: "most" });
    parent.append(html("figure", {}, html("figcaption", {}, html("span", {}, title), this.now), this.picture, this.most));
  }

  /** Show values, the oldest first; `length` is how many a whole minute has. */
  show(values, length) {
    const last = values.at(-1) ?? 0;
    const top = Math.max(...values, 0);
    say(this.now, this.text(last));
    say(this.most, `at most ${this.text(top)} in the last minute`);
    set(this.picture, "aria-label", `${this.title} over the last minute: at most ${this.text(top)}, now ${this.text(last)}`);
    const step = WIDTH / Math.max(1, length - 1);
    const left = WIDTH - step * (values.length - 1);
    const points = values.map((value, at) => `${left + at * step},${HEIGHT - (top ? value / top : 0) * (HEIGHT - 3)}`);
    set(this.line, "d", points.length ? `M${points.join("L")}` : "");
    set(this.area, "d", points.length ? `M${left},${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z` : "");
  }
}
