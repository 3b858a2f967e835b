// Follows the journal by server-sent events: it comes back with the cursor, and rests while nobody looks.

import { follow, on } from "./session.js";

const MOST = 20000;
// Milliseconds between two drawings.
const SHORTEST = 60;
const LONGEST = 1000;
const listeners = [];

export const journal = { lines: [], state: "connecting", lost: 0 };

let cursor = null;
let running = null;
let dirty = false;
let rest = SHORTEST;
let marks = 0;

export function onJournal(listener) {
  listeners.push(listener);
}

// However many events come, listeners are told so seldom that drawing takes no more than a twentieth of the time: what the
// page takes of the machine, the server and its clients may lack.
function tell() {
  if (dirty) return;
  dirty = true;
  setTimeout(() => {
    dirty = false;
    const started = performance.now();
    for (const listener of listeners) listener();
    rest = Math.min(LONGEST, Math.max(SHORTEST, 20 * (performance.now() - started)));
  }, rest);
}

function say(state) {
  if (journal.state !== state) {
    journal.state = state;
    tell();
  }
}

export function mark() {
  marks += 1;
  journal.lines.push({ mark: `mark ${marks}`, number: `mark-${marks}`, at: new Date().toISOString() });
  tell();
}

export function clear() {
  journal.lines = [];
  journal.lost = 0;
  tell();
}

function take({ event, id, data }) {
  cursor = id;
  if (event === "cleared") clear();
  else if (event === "lost") journal.lost += data.lost;
  else journal.lines.push(data);
  if (journal.lines.length > MOST) journal.lines = journal.lines.slice(-MOST + 1000);
  tell();
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
      );
      if (fields.event) yield { event: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

async function run(signal) {
  while (!signal.aborted) {
    try {
      const answer = await follow("/journal/stream", cursor ? { "Last-Event-ID": cursor } : {}, signal);
      if (!answer.ok) {
        say(answer.status === 401 ? "locked" : "refused");
        return;
      }
      say("live");
      for await (const event of events(answer.body)) take(event);
      await pause(200, signal);
    } catch {
      if (signal.aborted) return;
      say("reconnecting");
      await pause(1000, signal);
    }
  }
}

function start() {
  running?.abort();
  running = new AbortController();
  if (document.hidden) say("resting");
  else run(running.signal);
}

export function begin() {
  document.addEventListener("visibilitychange", start);
  on("change", () => {
    cursor = null;
    clear();
    start();
  });
  start();
}
