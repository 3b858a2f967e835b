// The journal as it grows: filtered, paused, marked, each exchange opened beside it.

import { button, h, labelled, replace, save, select } from "../lib/dom.js";
import { act, bearer, call, look } from "../lib/session.js";
import { copy, doing, duration, say, statusBadge, time, told } from "../lib/shown.js";
import { clear, journal, mark } from "../lib/stream.js";
import { VirtualList } from "../lib/virtual.js";
import { showExchange } from "./exchange.js";

const wanted = { text: "", operation: "", status: "", invalid: false };
const STATUSES = [["", "any status"], ["2", "2xx"], ["4", "4xx"], ["5", "5xx"], ["none", "no answer"]];

function matches(line) {
  if (line.mark) return true;
  if (wanted.operation && line.operation !== wanted.operation) return false;
  if (wanted.status && (line.status === null ? "none" : String(line.status)[0]) !== wanted.status) return false;
  if (wanted.invalid && line.valid) return false;
  if (!wanted.text) return true;
  const text = `${line.number} ${line.method} ${line.path}?${line.query} ${line.because} ${line.faults.join(" ")}`;
  return text.toLowerCase().includes(wanted.text);
}

function row(line) {
  if (line.mark) return h("span", { class: "mark" }, `${line.mark} · ${time(line.at)}`);
  const flags = [
    line.valid ? null : h("span", { class: "flag bad", title: "the spec forbids it" }, "invalid"),
    line.warnings ? h("span", { class: "flag warn", title: `${line.warnings} warnings` }, "warning") : null,
    line.faults.map((kind) => h("span", { class: "flag warn", title: "a fault struck" }, kind)),
  ];
  return [
    h("span", { class: "at" }, time(line.at)),
    statusBadge(line.status),
    h("span", { class: "method" }, line.method),
    h("span", { class: "path" }, line.path + (line.query ? `?${line.query}` : "")),
    h("span", { class: "flags" }, flags),
    h("span", { class: "because" }, line.because),
    h("span", { class: "took" }, duration(line.seconds)),
  ];
}

function hello() {
  const lines = [["address", `${location.origin}/api`], ["header", `Authorization: Bearer ${bearer()}`]];
  const sample = doing(async () => told("The list", await call("GET", "/billing/invoices?per_page=3")));
  return h("div", { class: "hello" },
    h("h2", {}, "Nothing was said yet"),
    h("p", {}, "Point your client to this address, with this token:"),
    lines.map(([name, text]) => h("div", { class: "line" }, h("code", {}, text),
      button("Copy", () => copy(text, `The ${name}`), { "aria-label": `Copy the ${name}` }))),
    h("p", {}, "What it sends shows here at once. To see a card declined, choose how the next collect ends, at the top, " +
      "or give a merchant another card."),
    button("Send a request from here", sample, { class: "main" }));
}

export class JournalPanel {
  constructor() {
    this.paused = null;
    this.list = new VirtualList({
      label: "Exchanges",
      row,
      choose: (line) => line.mark || this.open(line.number),
      keys: { p: () => this.pause(), m: mark },
    });
    this.detail = h("section", { class: "detail", "aria-label": "The exchange", tabindex: -1, hidden: true });
    this.count = h("span", { class: "count", role: "status" });
    this.hello = h("div", {});
    this.operations = h("select", { id: "operation", "aria-label": "Operation" });
    this.known = new Set();
    this.pausing = button("Pause", () => this.pause(), { "aria-pressed": "false" });
    this.element = h("div", { class: "journal" }, h("h1", { class: "unseen" }, "Journal"), this.toolbar(), this.hello, h("div", { class: "split" }, this.list.element, this.detail));
  }

  toolbar() {
    const narrow = (name, read) => (event) => {
      wanted[name] = read(event.target);
      this.refresh();
    };
    this.operations.addEventListener("change", narrow("operation", (one) => one.value));
    return h("div", { class: "tools", role: "toolbar", "aria-label": "The journal" },
      h("input", {
        type: "search", id: "filter", placeholder: "Filter: path, reason, number", "aria-label": "Filter",
        oninput: narrow("text", (one) => one.value.trim().toLowerCase()),
      }),
      this.operations,
      select(STATUSES, { "aria-label": "Status", onchange: narrow("status", (one) => one.value) }),
      labelled("invalid only", h("input", { type: "checkbox", onchange: narrow("invalid", (one) => one.checked) })),
      this.pausing,
      button("Mark", mark),
      button("Save as HAR", doing(async () => {
        save("journal.har", JSON.stringify(await look("/journal?format=har&limit=100000"), null, 1), "application/json");
        say("The whole journal is saved as HAR.");
      })),
      button("Empty", doing(async () => {
        await act("DELETE", "/journal");
        clear();
      })),
      this.count);
  }

  pause() {
    this.paused = this.paused ? null : [...journal.lines];
    this.pausing.setAttribute("aria-pressed", String(Boolean(this.paused)));
    this.refresh();
  }

  async open(number) {
    this.detail.hidden = false;
    this.element.classList.add("opened");
    await doing(async () => {
      await showExchange(this.detail, number, () => this.close());
      this.detail.focus({ preventScroll: true });
    })();
  }

  close() {
    this.detail.hidden = true;
    this.element.classList.remove("opened");
    this.list.element.focus();
  }

  refresh() {
    const lines = this.paused ?? journal.lines;
    const shown = lines.filter(matches);
    const names = new Set(lines.map((line) => line.operation).filter(Boolean));
    if (names.size !== this.known.size || !this.operations.options.length) {
      this.known = names;
      const options = [["", "any operation"], ...[...names].sort().map((name) => [name, name])];
      replace(this.operations, options.map(([key, text]) => h("option", { value: key, selected: key === wanted.operation }, text)));
    }
    this.list.show(shown);
    const empty = !lines.length && !journal.lost;
    this.element.classList.toggle("blank", empty);
    if (empty && !this.hello.childElementCount) replace(this.hello, hello());
    if (!empty) replace(this.hello);
    const lost = journal.lost ? `, ${journal.lost} older ones lost` : "";
    this.count.textContent = `${shown.length} of ${lines.length}${lost}${this.paused ? ", paused" : ""}`;
  }
}
