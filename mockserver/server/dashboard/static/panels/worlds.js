// The worlds of the server with their sizes: one is opened by a click.

import { button, h, table } from "../lib/dom.js";
import { Live } from "../lib/panel.js";
import { act, change, session } from "../lib/session.js";
import { doing, say } from "../lib/shown.js";

const COMMON = "common";
const MOST = 200;

export class WorldsPanel {
  constructor() {
    this.list = new Live(h("div", {}), "/worlds", (found) => this.drawWorlds(found.data));
    this.element = h("div", { class: "panel" },
      h("h1", {}, "Worlds"),
      h("p", { class: "soft" }, "A name behind the token, as in provider@checkout-17, makes a world of its own: its records, faults and " +
        "clock are nobody else's."),
      this.list.element);
  }

  drawWorlds(worlds) {
    const here = session.world || COMMON;
    const rows = worlds.slice(0, MOST).map((one) => {
      const open = () => {
        change({ world: one.name === COMMON ? "" : one.name });
        say(`This is the world ${one.name} now.`);
      };
      const drop = doing(async () => {
        say((await act("DELETE", `/worlds/${encodeURIComponent(one.name)}`)).message);
        await this.refresh();
      });
      return h("tr", { class: one.name === here ? "chosen" : null },
        h("td", { class: "text" }, one.name),
        h("td", { class: "number" }, String(one.invoices)), h("td", { class: "number" }, String(one.charges)),
        h("td", { class: "number" }, String(one.exchanges)), h("td", { class: "number" }, `${Math.round(one.idle)} s`),
        h("td", { class: "doing" },
          one.name === here ? "shown here" : button("Open", open, { "data-key": `open-${one.name}`, "aria-label": `Open the world ${one.name}` }),
          one.name === COMMON || one.name === here ? null : button("Delete", drop, { "data-key": `drop-${one.name}`, "aria-label": `Delete the world ${one.name}` })));
    });
    const more = worlds.length > MOST ? h("p", { class: "soft" }, `${worlds.length - MOST} more, used longer ago, are not shown.`) : null;
    return [table("Worlds", ["name", "invoices", "charges", "exchanges", "idle", "do"], rows, ""), more];
  }

  async refresh() {
    await this.list.refresh();
  }
}
