// The page: takes states from the server, and shows them in its parts. It changes nothing in the orchestra.

import { clock, count, duration, many, waitText } from "./format.js";
import { html, list, say, set } from "./build.js";
import { Detail } from "./detail.js";
import { Graph } from "./graph.js";
import { Plot } from "./plots.js";
import { Table } from "./table.js";

const MINUTE = 60;
const AT_ONCE = 200; // members of a group that one table shows
const MOST_WAITS = 30;

const find = (id) => document.getElementById(id);

const view = {
  state: null, // what was shown last
  history: null,
  group: null, // the group whose members the table shows
  offset: 0,
  members: null, // the state of that group
  hasEnded: false,
};

const plots = {
  received_rate: new Plot(find("plots"), "Received/s"),
  lying: new Plot(find("plots"), "In all lanes"),
  blocked_rate: new Plot(find("plots"), "Blocked/s"),
};
const detail = new Detail(() => choose(null));
const graph = new Graph(find("graph"), choose);
const table = new Table(find("subsystems"), choose);

/** Pick a subsystem, or a group, or nothing. */
function choose(name) {
  const isGroup = name !== null && view.state?.folding?.groups.some((group) => group.name === name);
  if (isGroup) {
    openGroup(name, 0);
    return;
  }
  const hash = name === null ? "" : `#${encodeURIComponent(name)}`;
  if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname + location.search);
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
  const stuck = new Set(state.deadlocks.filter((one) => one.holds).flatMap((one) => one.members));
  showDeadlocks(state.deadlocks);
  const folding = find("folding");
  folding.hidden = state.folding === null;
  if (state.folding) say(folding, `${state.folding.rule}. Choose a group to see its members.`);
  if (graph.layout) graph.show(state, stuck, chosen());
  table.show((view.members ?? state).subsystems, stuck, chosen());
  showGroup();
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
  const shown = deadlocks.slice(-3).map((one) => {
    const path = [...one.cycle, one.cycle[0]].join(" → ");
    const title = one.holds ? `Deadlock: ${path}` : `A deadlock was resolved: ${path}`;
    return { title, text: `Since ${clock(one.since)}. ${one.message}`, kind: one.holds ? "deadlock" : "deadlock past" };
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
  list(find("waits"), lines, "nobody: who waits at all waits for what comes next");
}

// --- Groups --------------------------------------------------------------------------------------------------------

async function openGroup(name, offset) {
  view.group = name;
  view.offset = offset;
  await lookAtGroup();
  find("subsystems-title").scrollIntoView({ block: "start" });
}

async function lookAtGroup() {
  if (view.group === null) return;
  const [group, offset] = [view.group, view.offset];
  try {
    const response = await fetch(`/api/state?group=${encodeURIComponent(group)}&offset=${offset}`);
    if (response.ok && view.group === group && view.offset === offset) {
      view.members = await response.json();
      show();
    }
  } catch {
    // The stream says that the page is gone.
  }
}

function closeGroup() {
  view.group = null;
  view.members = null;
  show();
}

function showGroup() {
  const box = find("group");
  box.hidden = view.group === null;
  const folding = view.members?.folding;
  say(find("subsystems-title"), view.group === null ? "Subsystems" : `Subsystems: ${view.group}`);
  if (view.group === null || !folding || box.dataset.shown === `${view.group} ${view.offset}`) return;
  box.dataset.shown = `${view.group} ${view.offset}`;
  const button = (text, action, isOff) => {
    const made = html("button", { type: "button" }, text);
    made.addEventListener("click", action);
    made.disabled = isOff;
    return made;
  };
  const last = Math.min(view.offset + AT_ONCE, folding.of);
  box.replaceChildren(
    html("span", {}, `${view.offset + 1} to ${last} of ${folding.of}`),
    button("Before", () => openGroup(view.group, view.offset - AT_ONCE), view.offset === 0),
    button("Next", () => openGroup(view.group, view.offset + AT_ONCE), last === folding.of),
    button("All groups", closeGroup, false),
  );
}

// --- Where it comes from -------------------------------------------------------------------------------------------

function take(state) {
  view.state = state;
  remember(state);
  show();
  void lookAtGroup();
  void detail.look();
}

/** Add a state to the minute of history. */
function remember(state) {
  const { history } = view;
  if (!history || state.time <= history.times.at(-1)) return;
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

async function load(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

/** Fetch what the stream does not tell: at the beginning, and after it was lost. */
async function begin() {
  try {
    [view.history] = await Promise.all([
      load("/api/history"),
      graph.layout ? null : load("/api/layout").then((layout) => graph.draw(layout)),
    ]);
    show();
  } catch (error) {
    health(`cannot load: ${error.message}`, "bad");
  }
}

function listen() {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("open", () => void begin());
  stream.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    if (state.deadlocks.some((one) => one.holds)) health("deadlock", "bad");
    else health("running", "good");
    take(state);
  });
  stream.addEventListener("end", (event) => {
    view.hasEnded = true;
    stream.close();
    if (event.data) take(JSON.parse(event.data));
    health("has ended", "calm");
  });
  stream.addEventListener("error", () => {
    if (view.hasEnded) return;
    health("the page does not answer; trying again", "warn");
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

function chooseByHash() {
  const name = decodeURIComponent(location.hash.slice(1));
  if (name && document.getElementById(name) === null) choose(name);
}

find("smaller").addEventListener("click", () => graph.zoom(1 / 1.25));
find("larger").addEventListener("click", () => graph.zoom(1.25));
find("fit").addEventListener("click", () => graph.zoom(null));
window.addEventListener("hashchange", chooseByHash);
listen();
chooseByHash();
