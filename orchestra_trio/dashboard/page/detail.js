// One subsystem, looked at closely: its lanes, its waits, its last minute, and where its tasks stand.

import { count, duration, waitText, waited } from "./format.js";
import { html, list, say, set } from "./build.js";
import { degree } from "./graph.js";
import { Plot } from "./plots.js";

const COLUMNS = ["Lane", "Now", "Capacity", "Peak", "Received", "Blocked", "p50", "p90", "p99"];
const MOST = 60; // looks that it remembers by itself

export class Detail {
  /** `closed(name)` is called when it was closed; it returns where to go if what had the focus before is gone. */
  constructor(closed) {
    this.element = document.getElementById("detail");
    this.title = document.getElementById("detail-name");
    this.place = document.getElementById("detail-place");
    this.lanes = document.getElementById("detail-lanes");
    this.waits = document.getElementById("detail-waits");
    this.stack = document.getElementById("detail-stack");
    const plots = document.getElementById("detail-plots");
    this.plots = { received_rate: new Plot(plots, "Received/s"), lying: new Plot(plots, "In lanes") };
    this.closed = closed;
    this.name = null;
    this.lanes.append(html("thead", {}, html("tr", {}, ...COLUMNS.map(columnHead))), html("tbody"));
    document.getElementById("close").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.name !== null) this.close();
    });
    // Where it covers all the rest, nobody should get lost below it.
    this.narrow = matchMedia("(max-width: 700px)");
    this.narrow.addEventListener("change", () => this.cover());
  }

  cover() {
    for (const below of document.querySelectorAll(".skip, header, main, footer")) {
      below.inert = this.name !== null && this.narrow.matches;
    }
  }

  /** Open it for a subsystem, and go there. */
  open(name) {
    if (this.name !== name) {
      if (!this.element.contains(document.activeElement)) this.opener = document.activeElement;
      this.name = name;
      this.own = { received_rate: [], lying: [] };
      say(this.title, name);
      say(this.place, "looking");
      say(this.stack, "");
      this.lanes.tBodies[0].replaceChildren();
      this.waits.replaceChildren();
    }
    this.element.hidden = false;
    this.cover();
    this.title.focus();
    return this.look();
  }

  close() {
    const name = this.name;
    if (name === null) return;
    this.element.hidden = true;
    this.name = null;
    this.cover();
    const instead = this.closed(name);
    const isThere = this.opener?.isConnected && this.opener !== document.body;
    (isThere ? this.opener : instead)?.focus();
  }

  /** Ask for where it stands; what comes too late for another subsystem is let go. */
  async look() {
    const name = this.name;
    if (name === null || this.isLooking === name) return;
    this.isLooking = name;
    try {
      const response = await fetch(`/api/subsystems/${encodeURIComponent(name)}`);
      if (name !== this.name) return;
      if (response.ok) this.show(await response.json());
      else say(this.place, response.status === 404 ? "there is no subsystem of this name" : `the page answers ${response.status}`);
    } catch {
      say(this.place, "the page does not answer");
    } finally {
      this.isLooking = null;
    }
  }

  show(one) {
    if (one.name !== this.name) return;
    this.remember(one);
    say(this.place, `${one.state}: ${one.place}`);
    say(this.stack, one.stack || "no task of it runs");
    const waits = one.waits.map((wait) => ({ text: waitText(one.name, wait) ?? idleText(wait) }));
    list(this.waits, waits, "none");
    const rows = Object.entries(one.lanes).map(([lane, figures]) => laneCells(lane, figures));
    const body = this.lanes.tBodies[0];
    while (body.rows.length > rows.length) body.lastElementChild.remove();
    rows.forEach((cells, at) => {
      const row = body.rows[at] ?? body.appendChild(laneRow(cells.length));
      cells.forEach((text, column) => say(row.cells[column], text));
      set(row, "class", degree(one.lanes[cells[0]].length, one.lanes[cells[0]].capacity) === "full" ? "full" : "");
    });
  }

  /** Keep its figures: there is no other history of a member of a group. */
  remember(one) {
    const lanes = Object.values(one.lanes);
    this.own.received_rate.push(lanes.reduce((total, lane) => total + lane.received_rate, 0));
    this.own.lying.push(lanes.reduce((total, lane) => total + lane.length, 0));
    for (const values of Object.values(this.own)) values.splice(0, values.length - MOST);
  }

  /** Show its last minute, or what is known of it. */
  showHistory(history, length) {
    for (const [figure, plot] of Object.entries(this.plots)) plot.show((history ?? this.own)[figure], length);
  }
}

function columnHead(text, at) {
  return html("th", { scope: "col", class: at === 0 ? null : "number" }, text);
}

function idleText(wait) {
  return `${wait.task} waits for what comes next, for ${waited(wait)}`;
}

function laneRow(length) {
  const cells = Array.from({ length: length - 1 }, () => html("td", { class: "number" }));
  return html("tr", {}, html("th", { scope: "row" }), ...cells);
}

function laneCells(lane, { length, capacity, peak, received, blocked, flight }) {
  const times = ["p50", "p90", "p99"].map((one) => (flight ? duration(flight[one]) : "–"));
  return [lane, String(length), capacity === null ? "no bound" : String(capacity), String(peak), count(received), count(blocked), ...times];
}
