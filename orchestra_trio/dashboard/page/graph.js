// The wiring as a picture: who sends to whom, how fast, and how full the lanes are.

import { count } from "./format.js";
import { say, set, svg } from "./build.js";

const HEAD = 44; // of a box, above its lanes: as the server lays them out
const LANE = 14;
const LANES = ["signals", "priority", "unbounded", "bounded"];
const SMALLEST = 0.6;
const BRIEF = 1; // second: who waits no longer for an answer is well served

export class Graph {
  /** Draw into an element; `choose(name)` is called when somebody picks a subsystem. */
  constructor(parent, choose) {
    this.parent = parent;
    this.choose = choose;
    this.nodes = new Map();
    this.wires = new Map();
    this.layout = null;
    this.scale = null;
    this.chosen = null;
    new ResizeObserver(() => this.scale === null && this.resize()).observe(parent);
  }

  /** Draw a layout anew. */
  draw(layout) {
    this.layout = layout;
    this.nodes.clear();
    this.wires.clear();
    const viewBox = `0 0 ${layout.width} ${layout.height}`;
    this.picture = svg("svg", { viewBox, role: "group", "aria-label": "Subsystems" }, arrowHead());
    for (const edge of layout.edges) this.addWire(edge);
    for (const mark of layout.marks) this.addMark(mark);
    for (const [name, place] of Object.entries(layout.nodes)) this.addNode(name, place);
    this.parent.replaceChildren(this.picture);
    this.resize();
  }

  addWire(edge) {
    const title = svg("title");
    const line = svg("path", { d: edge.path, "marker-end": "url(#tip)" }, title);
    const label = svg("text", { class: "label", x: edge.label.x, y: edge.label.y + 4 });
    this.picture.append(svg("g", { "aria-hidden": "true" }, line, label));
    this.wires.set(key(edge), { edge, line, label, title });
  }

  addMark({ x, y, width, height, kind }) {
    const middle = [x + width / 2, y + height / 2];
    const what = kind === "in" ? "from the embedding program" : "to the embedding program";
    this.picture.append(
      svg("circle", { class: "mark", cx: middle[0], cy: middle[1], r: width / 2, "aria-hidden": "true" }, svg("title", {}, what)),
    );
  }

  addNode(name, { x, y, width, height }) {
    const rate = svg("text", { class: "rate", x: x + 14, y: y + 36 });
    const bars = svg("g");
    const group = svg(
      "g",
      { role: "button", tabindex: 0 },
      svg("rect", { class: "box", x, y, width, height, rx: 6 }),
      svg("text", { class: "title", x: x + 14, y: y + 20 }, shortened(name)),
      rate,
      bars,
    );
    group.addEventListener("click", () => this.choose(name));
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.choose(name);
      }
    });
    this.picture.append(group);
    this.nodes.set(name, { x, y, width, group, rate, bars, levels: new Map() });
  }

  /** Show a state on what is drawn. */
  show(state, stuck, chosen, owners) {
    this.chosen = chosen;
    for (const one of state.subsystems) this.showNode(one, stuck.has(one.name), one.name === chosen);
    const waits = this.waitingWires(state, stuck, owners);
    for (const edge of state.edges) {
      const wire = this.wires.get(key(edge));
      if (wire) this.showWire(wire, edge, waits.get(wire));
    }
  }

  showNode(one, isStuck, isChosen) {
    const node = this.nodes.get(one.name);
    if (!node) return;
    const isOver = ["finished", "cancelled"].includes(one.state);
    const classes = ["node", one.state, isStuck && "stuck", isOver && "over", isChosen && "chosen"];
    set(node.group, "class", classes.filter(Boolean).join(" "));
    const total = LANES.reduce((sum, lane) => sum + (one.lanes[lane]?.received_rate ?? 0), 0);
    const facts = [one.members && `${one.members} together`, one.state !== "running" && one.state, !isOver && `${count(total)}/s`];
    say(node.rate, facts.filter(Boolean).join(", "));
    const lanes = LANES.filter((lane) => one.lanes[lane]);
    lanes.forEach((lane, at) => this.showLevel(node, lane, one.lanes[lane], at));
    // What changes all the time is in the description: the name of what has the focus is read out when it changes.
    const filled = lanes.map((lane) => levelText(lane, one.lanes[lane]));
    set(node.group, "aria-label", [`${one.name}: ${one.state}`, isStuck && "in a deadlock"].filter(Boolean).join(", "));
    set(node.group, "aria-description", [`${count(total)} received per second`, ...filled].join(", "));
    set(node.group, "aria-pressed", isChosen);
  }

  showLevel(node, lane, { length, capacity }, at) {
    let level = node.levels.get(lane);
    const place = { x: node.x + 14, y: node.y + HEAD + at * LANE, width: node.width - 28 };
    if (!level) {
      const title = svg("title");
      level = { bar: svg("rect", { x: place.x, y: place.y, height: 7, rx: 2 }), title };
      node.bars.append(svg("g", {}, title, svg("rect", { class: "gauge", ...place, height: 7, rx: 2 }), level.bar));
      node.levels.set(lane, level);
    }
    const share = fill(length, capacity);
    set(level.bar, "width", (place.width * share).toFixed(1));
    set(level.bar, "class", `level ${degree(length, capacity)}`);
    say(level.title, levelText(lane, { length, capacity }));
  }

  /** At which wires somebody waits: "waiting", for room or long for an answer, or "stuck" where it is part of a deadlock. */
  waitingWires(state, stuck, owners) {
    const found = new Map();
    for (const one of state.subsystems) {
      for (const wait of one.waits) {
        const isBrief = wait.kind === "request" && wait.seconds < BRIEF;
        if (wait.kind === "receive" || isBrief) continue;
        const target = wait.subsystem === "outgoing" ? null : owners.of(wait.subsystem);
        const kind = stuck.has(one.name) && stuck.has(target) ? "stuck" : "waiting";
        for (const wire of this.wiresBetween(one.name, target, wait.lane)) {
          if (found.get(wire) !== "stuck") found.set(wire, kind);
        }
      }
    }
    return found;
  }

  /** The wire of a lane, or all between these two if it has none of its own, as a request. */
  wiresBetween(sender, consumer, lane) {
    const own = this.wires.get(key({ sender, consumer, lane: lane === "priority" ? "bounded" : lane }));
    if (own) return [own];
    return ["bounded", "unbounded"].map((one) => this.wires.get(key({ sender, consumer, lane: one }))).filter(Boolean);
  }

  showWire({ line, label, title }, edge, wait) {
    const isNear = this.chosen !== null && (edge.sender === this.chosen || edge.consumer === this.chosen);
    const classes = ["wire", edge.lane, wait, isNear && "near", edge.rate === 0 && "idle"];
    set(line, "class", classes.filter(Boolean).join(" "));
    const width = wait ? 3.6 : 1.2 + Math.min(3, Math.log10(1 + edge.rate) * 0.8);
    set(line, "stroke-width", width.toFixed(2));
    say(label, edge.rate > 0 ? `${count(edge.rate)}/s` : "");
    const from = edge.sender ?? "the embedding program";
    const to = edge.consumer ?? "the embedding program";
    say(title, `${from} to ${to}, ${edge.lane}: ${edge.types.join(", ")}; ${count(edge.messages)} so far`);
  }

  /** Set how large it is drawn: a factor, or null to fit the page's width. */
  zoom(factor) {
    this.scale = factor === null ? null : Math.min(3, Math.max(0.2, this.factor() * factor));
    this.resize();
  }

  factor() {
    if (this.scale !== null) return this.scale;
    const room = this.parent.clientWidth / this.layout.width;
    return Math.min(1.15, Math.max(SMALLEST, room));
  }

  resize() {
    if (!this.layout) return;
    set(this.picture, "width", Math.floor(this.layout.width * this.factor()));
    set(this.picture, "height", Math.floor(this.layout.height * this.factor()));
  }
}

function arrowHead() {
  const size = { viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9 };
  return svg(
    "marker",
    { id: "tip", ...size, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" },
    svg("path", { class: "tip", d: "M0 1L10 5L0 9Z" }),
  );
}

/** How full a lane is, from 0 to 1; one without a bound is never full. */
export function fill(length, capacity) {
  if (capacity === null) return length / (length + 64);
  return capacity === 0 ? Number(length > 0) : Math.min(1, length / capacity);
}

/** "", "high" or "full". */
export function degree(length, capacity) {
  if (capacity === null) return "";
  if (length >= capacity && length > 0) return "full";
  return length >= 0.75 * capacity && length > 0 ? "high" : "";
}

function levelText(lane, { length, capacity }) {
  return `${lane} lane: ${length}${capacity === null ? "" : ` of ${capacity}`}`;
}

function key(edge) {
  return `${edge.sender}>${edge.consumer}>${edge.lane}`;
}

function shortened(name) {
  return name.length > 28 ? `${name.slice(0, 27)}…` : name;
}
