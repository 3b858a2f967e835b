// Who is told of events, and every delivery with its attempts.

import { button, h, labelled, table } from "../lib/dom.js";
import { Live } from "../lib/panel.js";
import { act, look } from "../lib/session.js";
import { badge, doing, duration, json, moment, say } from "../lib/shown.js";

export class WebhooksPanel {
  constructor() {
    this.url = h("input", { type: "url", size: 36, placeholder: "http://127.0.0.1:3000/webhooks" });
    this.told = new Live(h("p", {}), "/webhooks", (one) => this.drawSubscription(one));
    this.list = new Live(h("div", {}), async () => (await look("/webhooks/deliveries?limit=1000")).data.slice(-100).reverse(),
      (found) => this.drawDeliveries(found));
    this.element = h("div", { class: "panel" }, h("h1", {}, "Webhooks"), this.told.element, this.telling(), h("h2", {}, "Deliveries"), this.list.element);
  }

  drawSubscription(one) {
    return one.url
      ? `Events are posted to ${one.url}, at most ${one.attempts} times each.`
      : "Nobody is told of events; they are recorded all the same, and can be delivered later.";
  }

  telling() {
    const tell = doing(async () => {
      await act("PUT", "/webhooks", { url: this.url.value });
      say(`Events go to ${this.url.value} from now on.`);
      await this.refresh();
    });
    const stop = doing(async () => {
      await act("DELETE", "/webhooks");
      say("Nobody is told any more.");
      await this.refresh();
    });
    return h("form", { class: "tools", onsubmit: tell, "aria-label": "Where events go" },
      labelled("address", this.url), h("button", {}, "Post events there"), button("Tell nobody", stop));
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
        h("td", {}, String(one.id)), h("td", {}, one.type), h("td", {}, badge(one.state)), h("td", {}, moment(one.created_at)),
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
