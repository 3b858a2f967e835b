// The world's clock, its snapshots, and its reset.

import { button, h, labelled, replace, select, table } from "../lib/dom.js";
import { Live } from "../lib/panel.js";
import { act } from "../lib/session.js";
import { doing, moment, say } from "../lib/shown.js";

const LEAPS = [["PT1H", "+1 hour"], ["P1D", "+1 day"], ["P3D", "+3 days"]];

export class TimePanel {
  constructor() {
    this.clock = new Live(h("div", {}), "/clock", (clock) => this.drawClock(clock));
    this.difference = h("div", { role: "status" });
    this.snapshots = new Live(h("div", {}), "/snapshots", (found) => this.drawSnapshots(found.data));
    this.element = h("div", { class: "panel" },
      h("h1", {}, "Clock"), this.clock.element, this.setting(),
      h("h2", {}, "Snapshots"), this.taking(), this.snapshots.element, this.difference,
      h("h2", {}, "Start over"), this.resetting());
  }

  changing(path, body, text) {
    return doing(async () => {
      const clock = await act("POST", `/clock/${path}`, body);
      say(`${text}: it is ${moment(clock.now)} UTC in this world.`);
      await this.refresh();
    });
  }

  drawClock(clock) {
    const turn = clock.frozen ? this.changing("run", undefined, "The clock runs") : this.changing("freeze", {}, "The clock stands still");
    return [
      h("p", { class: "clock" }, h("time", { datetime: clock.now }, moment(clock.now)), " UTC ",
        h("span", { class: `badge ${clock.frozen ? "warn" : "good"}` }, clock.frozen ? "stands still" : "runs")),
      h("div", { class: "tools" },
        button(clock.frozen ? "Let it run" : "Freeze", turn, { "data-key": "turn" }),
        LEAPS.map(([by, text]) => button(text, this.changing("advance", { by }, text), { "data-key": by }))),
    ];
  }

  setting() {
    const to = h("input", { size: 22, placeholder: "2026-01-31T09:30:00Z", "aria-label": "The time to set" });
    const set = doing(() => this.changing("set", { to: to.value }, "The clock is set")());
    return h("form", { class: "tools", onsubmit: set, "aria-label": "Set the clock" }, to, h("button", {}, "Set"));
  }

  taking() {
    const name = h("input", { value: "before", size: 16 });
    const take = doing(async () => {
      await act("PUT", `/snapshots/${encodeURIComponent(name.value)}`);
      say(`The world is kept as ${name.value}.`);
      await this.refresh();
    });
    return h("form", { class: "tools", onsubmit: take, "aria-label": "A new snapshot" }, labelled("name", name), h("button", {}, "Save a snapshot"));
  }

  drawSnapshots(found) {
    const names = found.map((one) => one.name);
    const rows = found.map((one) => {
      const at = `/snapshots/${encodeURIComponent(one.name)}`;
      const to = select([["", "the present world"], ...names.filter((name) => name !== one.name).map((name) => [name, name])],
        { "aria-label": `Compare ${one.name} with`, "data-key": `to-${one.name}` });
      const restore = doing(async () => {
        await act("POST", `${at}/restore`);
        say(`The world is as ${one.name} has it.`);
        await this.refresh();
      });
      const compare = doing(async () => {
        const query = to.value ? `?to=${encodeURIComponent(to.value)}` : "";
        const answer = await act("GET", `${at}/diff${query}`);
        replace(this.difference,
          h("h3", {}, `From ${one.name} to ${to.value || "the present world"}`),
          answer.same ? h("p", {}, "Nothing differs.") : h("pre", { class: "body", tabindex: 0 }, answer.lines.join("\n")));
      });
      const forget = doing(async () => {
        await act("DELETE", at);
        await this.refresh();
      });
      return h("tr", {},
        h("td", { class: "text" }, one.name), h("td", {}, moment(one.taken_at)), h("td", {}, one.clock.frozen ? `stands still at ${moment(one.clock.now)}` : "runs"),
        h("td", { class: "doing" },
          button("Restore", restore, { "data-key": `restore-${one.name}`, "aria-label": `Restore ${one.name}` }),
          button("Compare", compare, { "data-key": `compare-${one.name}`, "aria-label": `Compare ${one.name}` }), to,
          button("Delete", forget, { "data-key": `delete-${one.name}`, "aria-label": `Delete ${one.name}` })));
    });
    return table("Snapshots", ["name", "taken", "its clock", "do"], rows, "No snapshot was taken.");
  }

  resetting() {
    let sure = false;
    const reset = doing(async (event) => {
      if (!sure) {
        sure = true;
        event.target.textContent = "Really? All that happened is forgotten";
        setTimeout(() => {
          sure = false;
          event.target.textContent = "Reset the world";
        }, 5000);
        return;
      }
      const answer = await act("POST", "/reset");
      say(answer.message);
      await this.refresh();
    });
    return h("p", {}, button("Reset the world", reset));
  }

  async refresh() {
    await Promise.all([this.clock.refresh(), this.snapshots.refresh()]);
  }
}
