// One subsystem, looked at closely: its lanes, its waits, its last minute, and where its tasks stand.

import { count, duration, waitText } from "./format.js";
import { html, list, say, set } from "./build.js";
import { Plot } from "./plots.js";

const COLUMNS = ["Lane", "Now", "Capacity", "Peak", "Received", "Blocked", "p50", "p90", "p99"];

export class Detail {
  /** `closed()` is called when it was closed. */
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
    this.lanes.append(html("thead", {}, html("tr", {}, ...COLUMNS.map((one) => html("th", { scope: "col" }, one)))), html("tbody"));
    document.getElementById("close").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.name !== null) this.close();
    });
  }

  /** Open it for a subsystem, and go there. */
  open(name) {
    const isNew = this.name !== name;
    this.name = name;
    say(this.title, name);
    if (isNew) {
      this.opener = document.activeElement;
      say(this.place, "looking");
      say(this.stack, "");
    }
    this.element.hidden = false;
    this.title.focus();
    return this.look();
  }

  close() {
    this.element.hidden = true;
    this.name = null;
    this.closed();
    this.opener?.focus?.();
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
      else say(this.place, response.status === 404 ? "a group: its members are in the table" : `the page answers ${response.status}`);
    } catch {
      say(this.place, "the page does not answer");
    } finally {
      this.isLooking = null;
    }
  }

  show(one) {
    if (one.name !== this.name) return;
    say(this.place, `${one.state}: ${one.place}`);
    say(this.stack, one.stack || "no task of it runs");
    list(this.waits, one.waits.map((wait) => ({ text: waitText(one.name, wait) ?? `${wait.task} waits for what comes next, for ${duration(wait.seconds)}` })), "none");
    const rows = Object.entries(one.lanes).map(([lane, figures]) => laneCells(lane, figures));
    const body = this.lanes.tBodies[0];
    while (body.rows.length > rows.length) body.lastElementChild.remove();
    rows.forEach((cells, at) => {
      const row = body.rows[at] ?? body.appendChild(html("tr", {}, html("th", { scope: "row" }), ...cells.slice(1).map(() => html("td", { class: "number" }))));
      cells.forEach((text, column) => say(row.cells[column], text));
      set(row, "class", figures(one, cells[0]));
    });
  }

  /** Show its last minute. */
  showHistory(history, length) {
    if (!history) return;
    for (const [figure, plot] of Object.entries(this.plots)) plot.show(history[figure], length);
  }
}

function figures(one, lane) {
  const { length, capacity } = one.lanes[lane];
  return capacity !== null && length >= capacity && length > 0 ? "stuck" : "";
}

function laneCells(lane, { length, capacity, peak, received, blocked, flight }) {
  const times = ["p50", "p90", "p99"].map((one) => (flight ? duration(flight[one]) : "–"));
  return [lane, String(length), capacity === null ? "no bound" : String(capacity), String(peak), count(received), count(blocked), ...times];
}
