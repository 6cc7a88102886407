// One group of subsystems, opened: its members, so many at a time, where there are too many to show each.

import { html, say, set } from "./build.js";

const AT_ONCE = 200; // so many members the server tells of at a time

/** Knows under which names subsystems are shown that are in a group: states name the members. */
export class Owners {
  /** `changed()` is called when more is known. */
  constructor(changed) {
    this.changed = changed;
    this.known = new Map();
  }

  of(name) {
    return this.known.get(name) ?? name;
  }

  /** Ask for those that are not known, each once. */
  ask(names) {
    for (const name of names.filter((one) => !this.known.has(one))) {
      this.known.set(name, name);
      fetch(`/api/subsystems/${encodeURIComponent(name)}`)
        .then((response) => response.json())
        .then(({ group }) => group && this.known.set(name, group) && this.changed())
        .catch(() => this.known.delete(name));
    }
  }
}

export class Group {
  /** `changed()` is called when there is something else to show. */
  constructor(changed) {
    this.changed = changed;
    this.title = document.getElementById("subsystems-title");
    this.box = document.getElementById("group");
    this.range = html("span");
    this.before = this.button("Before", () => this.open(this.name, this.offset - AT_ONCE));
    this.next = this.button("Next", () => this.open(this.name, this.offset + AT_ONCE));
    this.box.append(this.range, this.before, this.next, this.button("All groups", () => this.close()));
    this.name = null; // of the group that is open
    this.offset = 0; // so many of its members come before
    this.state = null; // of its members
  }

  button(text, action) {
    const made = html("button", { type: "button" }, text);
    // One that is off for now keeps the focus: who pages by keyboard would lose the place.
    made.addEventListener("click", () => made.getAttribute("aria-disabled") !== "true" && action());
    return made;
  }

  async open(name, offset = 0) {
    const isOther = this.name !== name;
    this.name = name;
    this.offset = offset;
    await this.look();
    if (isOther) this.title.focus({ preventScroll: true });
    this.title.scrollIntoView({ block: "start" });
  }

  close() {
    this.name = null;
    this.state = null;
    this.changed();
    this.title.focus();
  }

  /** Ask for its members; what comes too late for what is open now is let go. */
  async look() {
    const { name, offset } = this;
    const what = `${name} ${offset}`;
    if (name === null || this.looksAt === what) return;
    this.looksAt = what;
    try {
      const response = await fetch(`/api/state?group=${encodeURIComponent(name)}&offset=${offset}`);
      if (this.name !== name || this.offset !== offset) return;
      if (response.ok) this.state = await response.json();
      else if (response.status === 404) this.name = this.state = null; // another orchestra runs there now
      this.changed();
    } catch {
      // The stream says that the page does not answer.
    } finally {
      if (this.looksAt === what) this.looksAt = null;
    }
  }

  /** Show which members the table shows. */
  show() {
    const isOpen = this.name !== null && this.state !== null;
    this.box.hidden = !isOpen;
    say(this.title, isOpen ? `Subsystems: ${this.name}` : "Subsystems");
    if (!isOpen) return;
    const { of, shown, offset } = this.state.folding;
    say(this.range, `${offset + 1} to ${offset + shown} of ${of}`);
    set(this.before, "aria-disabled", offset === 0);
    set(this.next, "aria-disabled", offset + shown >= of);
  }
}
