// The subsystems as a table, which can be sorted.

import { count, duration, waited } from "./format.js";
import { html, say, set, svg } from "./build.js";
import { degree, fill } from "./graph.js";

const LANES = ["signals", "priority", "unbounded", "bounded"];
const KINDS = { running: "good", finished: "calm", starting: "quiet", ending: "quiet", cancelled: "quiet", restarting: "warn", failed: "bad" };

/** What a row is sorted by. */
const KEYS = {
  name: (one) => one.name,
  state: (one) => one.state,
  rate: (one) => sum(one, "received_rate"),
  fill: (one) => Math.max(...present(one).map((lane) => fill(lane.length, lane.capacity)), 0),
  blocked: (one) => sum(one, "blocked_rate"),
  flight: (one) => flight(one, "p50") ?? -1,
  tail: (one) => flight(one, "p99") ?? -1,
  waits: (one) => Math.max(...waits(one).map((wait) => wait.seconds), -1),
  restarts: (one) => one.restarts,
  epoch: (one) => one.epoch,
};

export class Table {
  /** Show rows in a table; `choose(name)` is called when somebody picks one. */
  constructor(table, choose) {
    this.body = table.tBodies[0];
    this.choose = choose;
    this.rows = new Map();
    this.order = null;
    this.descending = false;
    this.heads = [...table.tHead.rows[0].cells];
    for (const head of this.heads) head.firstElementChild.addEventListener("click", () => this.sortBy(head));
  }

  /** Sort by a column: numbers the largest first, names from A on; in the other direction the second time. */
  sortBy(head) {
    const isSame = this.order === head.dataset.key;
    this.descending = isSame ? !this.descending : !["name", "state"].includes(head.dataset.key);
    this.order = head.dataset.key;
    for (const one of this.heads) {
      set(one, "aria-sort", one !== head ? "none" : this.descending ? "descending" : "ascending");
    }
    if (this.shown) this.show(...this.shown);
  }

  /** Show a state. */
  show(subsystems, stuck, chosen) {
    this.shown = [subsystems, stuck, chosen];
    const names = new Set(subsystems.map((one) => one.name));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) {
        row.element.remove();
        this.rows.delete(name);
      }
    }
    const sorted = this.order === null ? subsystems : [...subsystems].sort((a, b) => compare(KEYS[this.order](a), KEYS[this.order](b)));
    if (this.order !== null && this.descending) sorted.reverse();
    sorted.forEach((one, at) => {
      const row = this.rows.get(one.name) ?? this.add(one.name);
      if (this.body.rows[at] !== row.element) this.body.insertBefore(row.element, this.body.rows[at] ?? null);
      showRow(row, one, stuck.has(one.name), one.name === chosen);
    });
  }

  /** The button of a subsystem, if it is shown. */
  buttonOf(name) {
    return this.rows.get(name)?.element.querySelector("button");
  }

  add(name) {
    const button = html("button", { type: "button" }, name);
    button.addEventListener("click", () => this.choose(name));
    const row = {
      members: html("span", { class: "what" }),
      state: html("span"),
      rate: html("td", { class: "number" }),
      lanes: html("td", { class: "lanes" }),
      blocked: html("td", { class: "number" }),
      flight: html("td", { class: "number wide" }),
      tail: html("td", { class: "number wide" }),
      waits: html("td", { class: "waits" }),
      restarts: html("td", { class: "number wide" }),
      epoch: html("td", { class: "number wide" }),
    };
    row.element = html(
      "tr",
      {},
      html("th", { scope: "row" }, button, row.members),
      html("td", {}, row.state),
      row.rate, row.lanes, row.blocked, row.flight, row.tail, row.waits, row.restarts, row.epoch,
    );
    this.rows.set(name, row);
    return row;
  }
}

function showRow(row, one, isStuck, isChosen) {
  set(row.element, "class", [isStuck && "stuck", isChosen && "chosen"].filter(Boolean).join(" "));
  say(row.members, one.members ? ` ${one.members} together${fullestText(one)}` : "");
  say(row.state, one.state);
  set(row.state, "class", `pill ${KINDS[one.state] ?? "quiet"}`);
  say(row.rate, count(sum(one, "received_rate")));
  showLanes(row.lanes, one);
  say(row.blocked, count(sum(one, "blocked_rate")));
  say(row.flight, flightText(one, "p50"));
  say(row.tail, flightText(one, "p99"));
  const longest = waits(one)[0];
  const more = waits(one).length > 1 ? `, and ${waits(one).length - 1} more` : "";
  say(row.waits, longest ? `${longest.kind === "send" ? "for room at" : "for"} ${longest.subsystem}, ${waited(longest)}${more}` : "");
  say(row.restarts, String(one.restarts));
  say(row.epoch, String(one.epoch));
}

function showLanes(cell, one) {
  const lanes = LANES.filter((lane) => one.lanes[lane]);
  while (cell.children.length > lanes.length) cell.lastElementChild.remove();
  lanes.forEach((lane, at) => {
    const { length, capacity } = one.lanes[lane];
    const item = cell.children[at] ?? cell.appendChild(laneItem());
    set(item, "title", `${lane} lane`);
    set(item.querySelector(".level, .bar-level"), "width", (54 * fill(length, capacity)).toFixed(1));
    set(item.querySelector(".bar-level"), "class", `bar-level level ${degree(length, capacity)}`);
    say(item.querySelector("b"), capacity === null ? count(length) : `${count(length)}/${count(capacity)}`);
    say(item.querySelector(".what"), lane);
  });
}

/** Of a group, the lane of one member may be full where all together are not. */
function fullestText({ fullest }) {
  return fullest > 0 ? `, the fullest lane ${Math.round(100 * fullest)} %` : "";
}

function laneItem() {
  const bar = svg(
    "svg",
    { viewBox: "0 0 54 7", "aria-hidden": "true" },
    svg("rect", { class: "gauge", width: 54, height: 7, rx: 2 }),
    svg("rect", { class: "bar-level level", height: 7, rx: 2 }),
  );
  return html("span", { class: "lane" }, bar, html("b"), html("span", { class: "what" }));
}

function present(one) {
  return LANES.map((lane) => one.lanes[lane]).filter(Boolean);
}

function sum(one, what) {
  return present(one).reduce((total, lane) => total + lane[what], 0);
}

/** The worst percentile of the message lanes; null where there are no samples. */
function flight(one, what) {
  const known = present(one).filter((lane) => lane.flight).map((lane) => lane.flight[what]);
  return known.length ? Math.max(...known) : null;
}

function flightText(one, what) {
  const seconds = flight(one, what);
  return seconds === null ? "–" : duration(seconds);
}

/** Its waits for others, the longest first. */
function waits(one) {
  return one.waits.filter((wait) => wait.kind !== "receive").sort((a, b) => b.seconds - a.seconds);
}

function compare(a, b) {
  return typeof a === "string" ? a.localeCompare(b) : a - b;
}
