// Puts the dashboard together: its parts, who asks, and when each part is asked anew.

import { button, h, replace } from "./lib/dom.js";
import { act, change, look, on, session } from "./lib/session.js";
import { copy, doing, say, words } from "./lib/shown.js";
import { begin, journal, onJournal } from "./lib/stream.js";
import { vocabulary } from "./lib/vocabulary.js";
import { FaultsPanel } from "./panels/faults.js";
import { FiguresPanel } from "./panels/figures.js";
import { InvoicesPanel } from "./panels/invoices.js";
import { JournalPanel } from "./panels/journal.js";
import { MerchantsPanel } from "./panels/merchants.js";
import { TimePanel } from "./panels/time.js";
import { WebhooksPanel } from "./panels/webhooks.js";
import { WorldsPanel } from "./panels/worlds.js";

const PARTS = {
  journal: ["Journal", JournalPanel],
  invoices: ["Invoices", InvoicesPanel],
  merchants: ["Merchants", MerchantsPanel],
  faults: ["Faults", FaultsPanel],
  time: ["Clock & snapshots", TimePanel],
  webhooks: ["Webhooks", WebhooksPanel],
  worlds: ["Worlds", WorldsPanel],
  figures: ["Figures", FiguresPanel],
};
const DRAWN_OF_THE_STREAM = ["journal", "figures"];
const EVERY = 2500;
const STREAM_WORDS = {
  live: "live", connecting: "connecting", reconnecting: "the server is gone, coming back", resting: "resting",
  locked: "locked", refused: "refused",
};
const at = (id) => document.getElementById(id);
const open = {};
let current = null;
let later = 0;
// How the next collects are to end; null until the server has said so.
let forced = null;

function nameInAddress() {
  const name = location.hash.slice(1);
  return name in PARTS ? name : "journal";
}

async function refresh() {
  if (document.hidden || !current) return;
  try {
    await open[current].refresh();
  } catch (error) {
    // While the server is away the stream says so; what else goes wrong is worth a sentence.
    if (!(error instanceof TypeError)) say(error.message);
  }
}

async function show(focus) {
  const name = nameInAddress();
  current = name;
  open[name] ??= new PARTS[name][1]();
  replace(at("main"), open[name].element);
  document.title = `${PARTS[name][0]} · mock server`;
  drawLinks();
  await refresh();
  if (!focus) return;
  say("");
  at("main").focus({ preventScroll: true });
}

function drawLinks() {
  at("reference").search = session.world ? `?world=${encodeURIComponent(session.world)}` : "";
  replace(at("tabs"), Object.entries(PARTS).map(([name, [text]]) =>
    h("a", { href: `#${name}`, "aria-current": name === current ? "page" : null }, text)));
  // To scroll an element into view would also make it the place from which Tab goes on.
  const tab = at("tabs").querySelector("[aria-current]");
  at("tabs").scrollLeft = tab.offsetLeft - (at("tabs").clientWidth - tab.offsetWidth) / 2;
}

async function drawWho() {
  const [world, next, outcomes] = await Promise.all([look("/world"), look("/stripe/next"), vocabulary()]);
  const tokens = world.tokens.map((one) => one.token);
  if (tokens.length && !tokens.includes(session.token)) change({ token: tokens[0] });
  const focused = document.activeElement;
  if (focused !== at("token")) replace(at("token"), tokens.map((one) => h("option", { value: one, selected: one === session.token }, one)));
  if (focused !== at("world")) at("world").value = session.world;
  if (forced?.join() === next.outcomes.join()) return;
  if (forced?.length && !next.outcomes.length) say(`A collect ended as ${words(forced[0])}, as was chosen; the next one ends as the card says.`);
  forced = next.outcomes;
  drawNext(outcomes.outcomes.map((one) => one.name));
}

async function drawWorlds() {
  const named = (await look("/worlds")).data.filter((one) => one.name !== "common");
  replace(at("worlds"), named.slice(0, 200).map((one) =>
    h("option", { value: one.name }, `${one.invoices} invoices, ${one.exchanges} exchanges`)));
}

function drawNext(outcomes) {
  const more = forced.length > 1 ? `, and ${forced.length - 1} more` : "";
  replace(at("next"), h("option", { value: "", selected: !forced.length }, "as the card says"),
    outcomes.map((name) => h("option", { value: name, selected: name === forced[0] }, words(name) + (name === forced[0] ? more : ""))));
}

const chooseNext = doing(async (event) => {
  const outcome = event.target.value;
  const waiting = (await look("/stripe/next")).outcomes.length;
  if (waiting || !outcome) await act("DELETE", "/stripe/next");
  if (outcome) await act("POST", "/stripe/next", { outcome });
  forced = null;
  await drawWho();
  say(outcome ? `The next collect of this world ends as ${words(outcome)}; the one after it as the card says.` : "The next collects end as the cards say.");
  await refresh();
});

function drawStream() {
  at("stream").textContent = STREAM_WORDS[journal.state];
  at("stream").dataset.state = journal.state;
}

function drawLines({ curl, fetch: line }) {
  // Where there is little room it is opened by who wants it.
  if (at("script").hidden && innerWidth < 760) at("script").firstElementChild.open = false;
  at("script").hidden = false;
  replace(at("lines"), [["curl", curl], ["fetch", line]].map(([name, text]) => h("div", { class: "line" },
    h("span", { class: "soft" }, name), h("code", { tabindex: 0, role: "region", "aria-label": `${name} line` }, text),
    button("Copy", () => copy(text, `The ${name} line`), { "aria-label": `Copy the ${name} line` }))));
}

// Every exchange may have changed what a part shows; many of them at once are one occasion.
function heard() {
  drawStream();
  if (DRAWN_OF_THE_STREAM.includes(current)) refresh();
  clearTimeout(later);
  later = setTimeout(() => {
    if (forced?.length) drawWho().catch(() => undefined);
    if (!DRAWN_OF_THE_STREAM.includes(current)) refresh();
  }, 250);
}

async function tick() {
  if (!document.hidden && at("guard").hidden) {
    try {
      await drawWho();
    } catch {
      // The stream's state says that the server is away.
    }
    if (!DRAWN_OF_THE_STREAM.includes(current)) await refresh();
  }
  setTimeout(tick, EVERY);
}

on("done", drawLines);
on("change", () => {
  for (const name of Object.keys(open)) delete open[name];
  forced = null;
  show(false);
  drawWho().catch(() => undefined);
});
on("guarded", () => { at("guard").hidden = false; });
at("guard").addEventListener("submit", (event) => {
  event.preventDefault();
  at("guard").hidden = true;
  change({ control: at("control").value });
  say("");
});
at("who").addEventListener("submit", (event) => event.preventDefault());
at("world").addEventListener("focus", doing(drawWorlds));
at("world").addEventListener("change", () => change({ world: at("world").value.trim() }));
at("token").addEventListener("change", () => change({ token: at("token").value }));
at("next").addEventListener("change", chooseNext);
addEventListener("hashchange", () => show(true));
onJournal(heard);
begin();
show(false);
tick();
