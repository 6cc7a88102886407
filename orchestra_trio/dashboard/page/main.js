// The page: takes states from the server, and shows them in its parts. It changes nothing in the orchestra.

import { clock, count, duration, many, waitText } from "./format.js";
import { html, list, say, set } from "./build.js";
import { Detail } from "./detail.js";
import { Graph } from "./graph.js";
import { Group, Owners } from "./groups.js";
import { Plot } from "./plots.js";
import { Table } from "./table.js";

const MINUTE = 60;
const MOST_WAITS = 30;
const MOST_DEADLOCKS = 3;

const find = (id) => document.getElementById(id);

const view = {
  state: null, // what was shown last
  history: null,
  layout: "", // the text of what is drawn
  hasEnded: false,
};

const plots = {
  received_rate: new Plot(find("plots"), "Received/s"),
  lying: new Plot(find("plots"), "In all lanes"),
  blocked_rate: new Plot(find("plots"), "Blocked/s"),
};
const detail = new Detail((name) => {
  choose(null);
  return table.buttonOf(name);
});
const graph = new Graph(find("graph"), choose);
const group = new Group(() => show());
const owners = new Owners(() => show());
const table = new Table(find("subsystems"), choose);

/** Pick a subsystem, or a group, or nothing. */
function choose(name) {
  if (view.state?.folding?.groups.some((one) => one.name === name)) {
    void group.open(name);
    return;
  }
  const hash = name === null ? "" : `#${encodeURIComponent(name)}`;
  if (location.hash !== hash) window.history.replaceState(null, "", hash || location.pathname + location.search);
  if (name !== null) detail.open(name);
  show();
}

function chosen() {
  return detail.name;
}

// --- What is shown -------------------------------------------------------------------------------------------------

function show() {
  const state = view.state;
  if (!state) return;
  document.title = `${state.deadlocks.some((one) => one.holds) ? "⚠ " : ""}${state.name}`;
  say(find("name"), state.name);
  say(find("uptime"), duration(state.uptime));
  say(find("epoch"), String(state.epoch));
  find("events-pair").hidden = state.events.sent === 0;
  say(find("events"), `${count(state.events.received)} of ${count(state.events.sent)} handled`);
  find("restarts-pair").hidden = state.totals.restarts === 0;
  say(find("restarts"), count(state.totals.restarts));
  const members = state.deadlocks.filter((one) => one.holds).flatMap((one) => one.members);
  if (state.folding) owners.ask(members);
  const stuck = new Set(members.flatMap((name) => [name, owners.of(name)]));
  showDeadlocks(state.deadlocks);
  const folding = find("folding");
  folding.hidden = state.folding === null;
  if (state.folding) say(folding, `${state.folding.rule}. Choose a group to see its members.`);
  if (graph.layout) graph.show(state, stuck, chosen(), owners);
  table.show((group.state ?? state).subsystems, stuck, chosen());
  group.show();
  showWaits(state, stuck);
  const letters = Object.entries(state.dead_letters).sort((a, b) => b[1] - a[1]);
  list(find("letters"), letters.map(([reason, number]) => ({ text: `${reason}: ${many(number, "message")}` })), "none");
  showPlots();
}

function showPlots() {
  const { history } = view;
  if (!history) return;
  const length = Math.round(MINUTE / history.interval);
  for (const [figure, plot] of Object.entries(plots)) plot.show(history.totals[figure], length);
  if (chosen() !== null) detail.showHistory(history.subsystems[chosen()], length);
}

function showDeadlocks(deadlocks) {
  const newest = [...deadlocks].reverse().sort((a, b) => b.holds - a.holds); // those that hold come first
  const shown = newest.slice(0, MOST_DEADLOCKS).map((one) => {
    const path = [...one.cycle, one.cycle[0]].join(" → ");
    const title = one.holds ? `Deadlock: ${path}` : `A deadlock was resolved: ${path}`;
    const since = one.since === null ? "" : `Since ${clock(one.since)}: `;
    return { title, text: since + one.message, kind: one.holds ? "deadlock" : "deadlock past" };
  });
  const box = find("deadlocks");
  while (box.children.length > shown.length) box.lastElementChild.remove();
  shown.forEach(({ title, text, kind }, at) => {
    const item = box.children[at] ?? box.appendChild(html("div", {}, html("strong"), html("p")));
    say(item.firstElementChild, title);
    say(item.lastElementChild, text);
    set(item, "class", kind);
  });
}

function showWaits(state, stuck) {
  const waits = state.subsystems.flatMap((one) => one.waits.map((wait) => ({ owner: one.name, wait })));
  const forOthers = waits.filter(({ wait }) => wait.kind !== "receive").sort((a, b) => b.wait.seconds - a.wait.seconds);
  const lines = forOthers.slice(0, MOST_WAITS).map(({ owner, wait }) => ({
    text: waitText(owner, wait),
    kind: stuck.has(owner) && stuck.has(wait.subsystem) ? "stuck" : "",
  }));
  if (forOthers.length > MOST_WAITS) lines.push({ text: `and ${forOthers.length - MOST_WAITS} more` });
  list(find("waits"), lines, "nobody waits for another");
}

// --- Where it comes from -------------------------------------------------------------------------------------------

function take(state) {
  view.state = state;
  showHealth(state);
  remember(state);
  show();
  void group.look();
  void detail.look();
}

/** Add a state to the minute of history. */
function remember(state) {
  const { history } = view;
  if (!history || state.time - history.times.at(-1) < 0.95 * history.interval) return;
  const most = Math.round(MINUTE / history.interval);
  const add = (values, value) => {
    values.push(value);
    if (values.length > most) values.splice(0, values.length - most);
  };
  add(history.times, state.time);
  for (const figure of Object.keys(history.totals)) add(history.totals[figure], state.totals[figure]);
  for (const one of state.subsystems) {
    const lanes = Object.values(one.lanes);
    const own = (history.subsystems[one.name] ??= { received_rate: [], lying: [] });
    add(own.received_rate, lanes.reduce((total, lane) => total + lane.received_rate, 0));
    add(own.lying, lanes.reduce((total, lane) => total + lane.length, 0));
  }
}

function health(text, kind) {
  say(find("health"), text);
  set(find("health"), "class", `pill ${kind}`);
}

/** Say how it is: only what changes is told to who listens. */
function showHealth(state) {
  const names = (kind) => state.subsystems.filter((one) => one.state === kind).map((one) => one.name);
  const [failed, restarting] = [names("failed"), names("restarting")];
  const some = (found) => (found.length > 3 ? `${found.slice(0, 3).join(", ")} and ${found.length - 3} more` : found.join(", "));
  if (state.ended) health(failed.length ? `has ended: ${some(failed)} failed` : "has ended", failed.length ? "bad" : "calm");
  else if (state.deadlocks.some((one) => one.holds)) health("deadlock", "bad");
  else if (failed.length) health(`failed: ${some(failed)}`, "bad");
  else if (restarting.length) health(`restarting: ${some(restarting)}`, "warn");
  else health("running", "good");
}

async function load(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.text();
}

/** Fetch what the stream does not tell: at the beginning, and after it was lost, when another orchestra may run there. */
async function begin() {
  try {
    const [history, layout] = await Promise.all([load("/api/history"), load("/api/layout")]);
    view.history = JSON.parse(history);
    if (layout !== view.layout) graph.draw(JSON.parse(layout));
    view.layout = layout;
    show();
  } catch (error) {
    health(`cannot load: ${error.message}`, "bad");
  }
}

function listen() {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("open", () => void begin());
  stream.addEventListener("state", (event) => {
    take(JSON.parse(event.data));
  });
  stream.addEventListener("end", (event) => {
    view.hasEnded = true;
    stream.close();
    take(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    if (view.hasEnded) return;
    health("the page does not answer; trying again", "warn");
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

/** Open the subsystem that the address names; "#subsystems-title" and the like are places on the page, and no names. */
function chooseByHash() {
  const name = location.hash.slice(1);
  if (name === "") detail.close();
  else if (/^[^-%]+$/.test(decoded(name))) choose(decoded(name));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "%"; // whoever wrote it by hand
  }
}

find("smaller").addEventListener("click", () => graph.zoom(1 / 1.25));
find("larger").addEventListener("click", () => graph.zoom(1.25));
find("fit").addEventListener("click", () => graph.zoom(null));
window.addEventListener("hashchange", chooseByHash);
listen();
if (location.hash) chooseByHash();
