// One exchange: request and answer side by side, what decided it, and forms to take along.

import { button, h, replace, save } from "../lib/dom.js";
import { look } from "../lib/session.js";
import { copy, doing, duration, json, moment, say, statusBadge } from "../lib/shown.js";
import { explained } from "./reasons.js";

let pretty = true;

function headersOf(headers) {
  const rows = Object.entries(headers).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)));
  return h("details", {}, h("summary", {}, `${rows.length} headers`), h("table", { class: "headers" }, h("tbody", {}, rows)));
}

function side(title, first, message) {
  const problems = message.problems.map((one) => h("li", {}, one));
  const body = json(message.body, pretty);
  return h("section", { class: "side" },
    h("h3", {}, title),
    h("p", { class: "first" }, first),
    problems.length ? h("div", { class: "problems" }, h("p", {}, "The spec forbids it:"), h("ul", {}, problems)) : null,
    headersOf(message.headers),
    body ? h("pre", { class: "body", tabindex: 0, role: "region", "aria-label": `${title} body` }, body) : h("p", { class: "empty" }, "no body"));
}

function tools(number, again, close) {
  const take = (format, what) => doing(async () => copy(await look(`/journal/${number}?format=${format}`), what));
  const har = doing(async () => {
    save(`exchange-${number}.har`, JSON.stringify(await look(`/journal/${number}?format=har`), null, 1), "application/json");
    say("The exchange is saved as HAR.");
  });
  const raw = button("Raw", () => {
    pretty = !pretty;
    again();
  }, { "aria-pressed": String(!pretty) });
  return h("div", { class: "tools" },
    button("Copy as curl", take("curl", "The curl command")),
    button("Copy as pytest", take("pytest", "The test")),
    button("Save as HAR", har),
    raw,
    button("Close", close, { class: "close" }));
}

export async function showExchange(element, number, close) {
  const entry = await look(`/journal/${number}`);
  const { request, response } = entry;
  const again = () => replace(element, ...drawn());
  const drawn = () => [
    h("h2", {}, `${number}: ${entry.operation ?? "no operation"} `, statusBadge(response.status)),
    h("p", { class: "when" }, `${moment(entry.at)} UTC by the world's clock · ${duration(entry.seconds)}`),
    explained(entry),
    entry.warnings.length ? h("ul", { class: "warnings" }, entry.warnings.map((one) => h("li", {}, one))) : null,
    tools(number, again, close),
    h("div", { class: "sides" },
      side("Request", `${request.method} ${request.url}`, request),
      side("Answer", response.status === null ? "no answer went out" : `status ${response.status}`, response)),
  ].filter(Boolean);
  again();
}
