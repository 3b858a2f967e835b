// The faults that are planned, how often each struck, and a form for a new one with only the fields that its kind takes.

import { button, h, labelled, replace, select, table } from "../lib/dom.js";
import { durationInput, typed } from "../lib/forms.js";
import { Live } from "../lib/panel.js";
import { act } from "../lib/session.js";
import { doing, say } from "../lib/shown.js";
import { lasting, vocabulary } from "../lib/vocabulary.js";

const NUMBERS = { status: "503", retry_after: "", share: "0.5", count: "", probability: "", invoice: "", nth: "" };
const LABELS = {
  count: "at most so many times", probability: "probability, 0 to 1", invoice: "only this invoice", nth: "from the nth on",
  retry_after: "Retry-After, seconds", share: "share of the body", delay: "delay, seconds or PT2S",
};

export class FaultsPanel {
  constructor() {
    this.fields = h("div", { class: "tools" });
    this.description = h("p", { class: "soft", id: "kind-says" });
    this.kind = h("select", { id: "kind", "aria-describedby": "kind-says", onchange: () => this.drawFields() });
    this.vocabulary = null;
    this.list = new Live(h("div", {}), "/faults", (faults) => this.drawFaults(faults.data));
    const add = doing(async () => {
      const fault = await act("POST", "/faults", { kind: this.kind.value, ...typed(this.fields) });
      say(`The fault ${fault.id}, ${fault.kind}, is in force.`);
      await this.refresh();
    });
    this.element = h("div", { class: "panel" },
      h("h1", {}, "Faults"),
      h("form", { class: "card", onsubmit: add, "aria-label": "A new fault" },
        h("div", { class: "tools" }, labelled("what goes wrong", this.kind), h("button", { class: "main" }, "Add the fault")),
        this.description, this.fields),
      this.list.element);
  }

  async prepare() {
    if (this.vocabulary) return;
    const [names, spec] = await Promise.all([vocabulary(), lasting("/spec.json")]);
    const operations = Object.values(spec.paths).flatMap((item) => Object.values(item)).map((one) => one.operationId);
    this.vocabulary = { ...names, operations: operations.filter(Boolean) };
    replace(this.kind, names.faults.map((one) => h("option", { value: one.kind, selected: one.kind === "status" }, one.kind)));
    this.drawFields();
  }

  drawFields() {
    const kind = this.vocabulary.faults.find((one) => one.kind === this.kind.value);
    this.description.textContent = kind.description;
    const own = kind.takes.map((name) => labelled(LABELS[name] ?? name, this.control(name)));
    const operations = [["", "any operation"], ...this.vocabulary.operations.map((name) => [name, name])];
    const when = kind.when.length > 1 ? labelled("when", select(kind.when, { name: "when" })) : null;
    const stripe = !kind.when.length;
    replace(this.fields, own, when,
      stripe ? null : labelled("operation", select(operations, { name: "operation" })),
      ["count", "probability", "invoice", "nth"].map((name) => labelled(LABELS[name], this.control(name))));
  }

  control(name) {
    if (name === "way") return select(["", ...this.vocabulary.ways.map((one) => one.name)].map((one) => [one, one || "any way"]), { name });
    if (name === "outcome") return select(this.vocabulary.outcomes.map((one) => one.name), { name, value: "insufficient_funds" });
    if (name === "delay") return durationInput(name, "2");
    return h("input", { name, type: "number", step: "any", value: NUMBERS[name] ?? "", class: "short" });
  }

  drawFaults(faults) {
    const rows = faults.map((one) => {
      const { id, kind, in_force: inForce, seen, struck, created_at: _, seed: __, ...rest } = one;
      const said = Object.entries(rest).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
      const remove = doing(async () => {
        await act("DELETE", `/faults/${id}`);
        say(`The fault ${id} is gone.`);
        await this.refresh();
      });
      return h("tr", {},
        h("td", {}, String(id)), h("td", {}, kind), h("td", { class: "text" }, said.join(", ") || "every request"),
        h("td", {}, h("span", { class: `badge ${inForce ? "warn" : "grey"}` }, inForce ? "in force" : "struck out")),
        h("td", { class: "number" }, `${struck} of ${seen}`),
        h("td", {}, button("Remove", remove, { "data-key": `remove-${id}`, "aria-label": `Remove fault ${id}` })));
    });
    const all = doing(async () => {
      await act("DELETE", "/faults");
      await this.refresh();
    });
    return [
      table("Faults", ["id", "kind", "which requests", "state", "struck", "do"], rows, "Nothing is planned to go wrong."),
      rows.length > 1 ? h("p", {}, button("Remove all", all)) : null,
    ];
  }

  async refresh() {
    await this.prepare();
    await this.list.refresh();
  }
}
