// The merchants with their cards, how the next collect ends, and Stripe's own troubles.

import { button, h, select, table } from "../lib/dom.js";
import { Live } from "../lib/panel.js";
import { act, look } from "../lib/session.js";
import { doing, outcome, say, words } from "../lib/shown.js";
import { vocabulary } from "../lib/vocabulary.js";

const TROUBLES = [
  ["stripe_down", "Stripe is down", {}],
  ["stripe_slow", "Stripe answers late", { delay: 3 }],
  ["lost_answer", "Stripe's answers are lost", {}],
];

export class MerchantsPanel {
  constructor() {
    this.troubles = new Live(h("div", { class: "tools", role: "group", "aria-label": "Stripe's troubles" }), "/faults",
      (faults) => this.drawTroubles(faults.data));
    this.list = new Live(h("div", {}), async () => [await look("/merchants"), (await vocabulary()).cards],
      ([merchants, cards]) => this.drawMerchants(merchants.data, cards));
    this.element = h("div", { class: "panel" },
      h("h1", {}, "Merchants"),
      h("p", { class: "soft" }, "A merchant's card says how a collect ends. It stays so until it is given another one."),
      this.troubles.element, this.list.element);
  }

  drawTroubles(faults) {
    return TROUBLES.map(([kind, text, more]) => {
      const armed = faults.filter((one) => one.kind === kind && one.in_force && one.count === undefined);
      const turn = doing(async () => {
        if (armed.length) for (const one of armed) await act("DELETE", `/faults/${one.id}`);
        else await act("POST", "/faults", { kind, ...more });
        say(armed.length ? `${text}: no more.` : `${text}, until you take it back.`);
        await this.refresh();
      });
      return button(text, turn, { "aria-pressed": String(armed.length > 0), "data-key": kind });
    });
  }

  drawMerchants(merchants, cards) {
    const rows = merchants.map((one) => {
      const change = doing(async (event) => {
        const card = event.target.value;
        const answer = await act("PUT", `/merchants/${one.id}/card`, { card });
        say(`The next collects of ${one.name}: ${words(answer.outcome)}.`);
        await this.refresh();
      });
      const options = cards.map((card) => [card.name, `${words(card.outcome)} · ${card.name}`]);
      return h("tr", {},
        h("td", {}, String(one.id)),
        h("td", { class: "text" }, one.name),
        h("td", {}, select(options, { value: one.card, onchange: change, "aria-label": `Card of merchant ${one.id}`, "data-key": `card-${one.id}` })),
        h("td", {}, outcome(one.next_outcome)),
        h("td", { class: "number" }, String(one.open_charges)),
        h("td", { class: "number" }, String(one.invoices)),
        h("td", {}, one.currency));
    });
    const heads = ["id", "name", "card", "next collect", "open charges", "invoices", "currency"];
    return table("Merchants", heads, rows, "There is no merchant.");
  }

  async refresh() {
    await Promise.all([this.troubles.refresh(), this.list.refresh()]);
  }
}
