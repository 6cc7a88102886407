// Figures as short texts. Pure.

const THOUSANDS = ["", "k", "M", "G"];

/** A number of things, or of things per second: "0", "3.4", "128", "9999", "12.3k", "2.5M". */
export function count(value) {
  if (value === 0) return "0";
  if (value < 9.95 && !Number.isInteger(value)) return value < 0.05 ? "<0.1" : value.toFixed(1);
  let step = 0;
  while (value >= (step ? 999.5 : 9999.5) && step < THOUSANDS.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = step > 0 && value < 100 ? 1 : 0;
  return value.toFixed(digits) + THOUSANDS[step];
}

/** A duration in seconds: "0 s", "<1 µs", "85 µs", "1.2 ms", "3.4 s", "2 min 5 s", "3 h 2 min". */
export function duration(seconds) {
  if (seconds <= 0) return "0 s";
  if (seconds < 1e-6) return "<1 µs";
  if (seconds < 0.9995e-3) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 0.9995) return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The time of day of a moment in seconds since 1970, in the reader's own zone. */
export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString();
}

/** "1 message", "3 messages". */
export function many(number, what) {
  return `${count(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** What one task waits for, in words; null where it only waits for what comes next. */
export function waitText(owner, wait) {
  if (wait.kind === "receive") return null;
  const whom = wait.subsystem === "outgoing" ? "the embedding program" : wait.subsystem;
  const what = wait.kind === "send" ? `for room at ${whom} (${wait.lane} lane)` : `for an answer from ${whom}`;
  const task = wait.task === owner ? "" : ` (task ${wait.task})`;
  return `${owner}${task} waits ${what}${wait.type ? `, ${wait.type}` : ""}, for ${waited(wait)}`;
}

/** How long somebody has waited; the server tells whole milliseconds. */
export function waited({ seconds }) {
  return seconds < 1e-3 ? "less than 1 ms" : duration(seconds);
}
