// Who is told of events, and how well that goes: a form of all that the control interface takes, in its own words.

import { button, h, labelled, replace } from "../lib/dom.js";
import { durationInput, typed } from "../lib/forms.js";
import { act, look } from "../lib/session.js";
import { doing, say } from "../lib/shown.js";
import { lasting } from "../lib/vocabulary.js";

const DURATIONS = { delay: "delay", hold: "held back at most", backoff: "wait for the second attempt" };
const NUMBERS = { copies: "copies of each", reorder: "sent in reverse, so many at once", attempts: "attempts", timeout: "timeout, seconds" };

function setting(name, text, control, description) {
  control.setAttribute("aria-describedby", `${name}-says`);
  return h("div", { class: "setting" }, labelled(text, control), h("p", { class: "soft", id: `${name}-says` }, description));
}

export class Subscription {
  constructor() {
    this.known = null;
    this.summary = h("p", {});
    this.url = h("input", { name: "url", type: "url", size: 36, placeholder: "http://127.0.0.1:3000/webhooks" });
    this.settings = h("div", { class: "settings" });
    const tell = doing(async () => {
      const told = await act("PUT", "/webhooks", typed(this.form));
      say(told.url ? `Events go to ${told.url} from now on.` : "Nobody is told; events are recorded in this way.");
      await this.refresh();
    });
    const stop = doing(async () => {
      await act("DELETE", "/webhooks");
      say("Nobody is told any more.");
      await this.refresh();
    });
    this.form = h("form", { onsubmit: tell, "aria-label": "Where events go" },
      h("div", { class: "tools" }, labelled("address", this.url), h("button", { class: "main" }, "Post events there"), button("Tell nobody", stop)),
      h("details", {}, h("summary", {}, "How well that goes: late, twice, in another order, given up"), this.settings));
    this.element = h("div", { class: "card" }, this.summary, this.form);
  }

  // What somebody is just writing stays, for as long as nothing else was said to the server.
  async refresh() {
    const [one, document] = await Promise.all([look("/webhooks"), lasting("/openapi.json")]);
    const written = JSON.stringify(one);
    if (written === this.known) return;
    this.known = written;
    this.draw(one, document.components.schemas.GivenSubscription.properties);
  }

  draw(one, properties) {
    this.summary.textContent = one.url
      ? `Events are posted to ${one.url}, at most ${one.attempts} times each.`
      : "Nobody is told of events; they are recorded all the same, and can be delivered later.";
    this.url.value = one.url ?? "";
    const number = (name) => h("input", { name, type: "number", step: name === "timeout" ? "any" : 1, value: one[name], class: "short" });
    replace(this.settings,
      setting("secret", "secret", h("input", { name: "secret", value: one.secret, autocomplete: "off" }), properties.secret.description),
      Object.entries(NUMBERS).map(([name, text]) => setting(name, text, number(name), properties[name].description)),
      Object.entries(DURATIONS).map(([name, text]) => setting(name, text, durationInput(name, one[name]), properties[name].description)));
  }
}
