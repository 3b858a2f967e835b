// The webhooks: who is told of events, and every delivery with its attempts.

import { button, h, table } from "../lib/dom.js";
import { Live } from "../lib/panel.js";
import { act, look } from "../lib/session.js";
import { badge, doing, duration, json, moment, say } from "../lib/shown.js";
import { Subscription } from "./subscription.js";

export class WebhooksPanel {
  constructor() {
    this.told = new Subscription();
    this.list = new Live(h("div", {}), async () => (await look("/webhooks/deliveries?limit=1000")).data.slice(-100).reverse(),
      (found) => this.drawDeliveries(found));
    this.element = h("div", { class: "panel" }, h("h1", {}, "Webhooks"), this.told.element, h("h2", {}, "Deliveries"), this.list.element);
  }

  drawDeliveries(found) {
    const rows = found.map((one) => {
      const again = doing(async () => {
        await act("POST", `/webhooks/deliveries/${one.id}/redeliver`);
        say(`Delivery ${one.id} goes out again.`);
        await this.refresh();
      });
      const tries = one.attempts.map((each) => h("li", {}, `${moment(each.at)}: ${each.status ?? each.error}, ${duration(each.seconds)}`));
      return h("tr", {},
        h("td", {}, String(one.id)), h("td", {}, one.type), h("td", {}, badge(one.state), one.due ? ` at ${moment(one.due)}` : null), h("td", {}, moment(one.created_at)),
        h("td", {}, tries.length ? h("ol", { class: "tries" }, tries) : "none"),
        h("td", { class: "text" }, h("details", {}, h("summary", {}, "body"), h("pre", { class: "body" }, json(JSON.parse(one.body))))),
        h("td", {}, button("Redeliver", again, { "data-key": `again-${one.id}`, "aria-label": `Redeliver ${one.id}` })));
    });
    return table("Deliveries", ["id", "event", "state", "happened", "attempts", "content", "do"], rows, "No event has happened: a new invoice makes one.");
  }

  async refresh() {
    await Promise.all([this.told.refresh(), this.list.refresh()]);
  }
}
