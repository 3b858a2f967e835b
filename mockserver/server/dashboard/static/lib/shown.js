// How values look: states and statuses as badges, times, amounts, JSON; and what is said of an action.

import { h } from "./dom.js";

const TONES = {
  draft: "grey", queued: "calm", on_stripe: "calm", paid: "good", paid_unreported: "good", declined: "bad", void: "grey",
  uncollectible: "bad", Open: "calm", Invoiced: "good", Void: "grey", delivered: "good", pending: "warn", failed: "bad",
  recorded: "grey", succeeded: "good",
};
const WORDS = { on_stripe: "on Stripe", paid_unreported: "paid, unreported" };

export function badge(word) {
  return h("span", { class: `badge ${TONES[word] ?? "grey"}` }, WORDS[word] ?? word);
}

export function outcome(name) {
  return h("span", { class: `badge ${name === "succeeded" ? "good" : "bad"}` }, words(name));
}

export function words(name) {
  return name.replaceAll("_", " ");
}

export function toneOf(status) {
  if (status === null || status >= 500) return "bad";
  return status >= 400 ? "warn" : "good";
}

export function statusBadge(status) {
  return h("span", { class: `badge ${toneOf(status)}` }, status === null ? "none" : String(status));
}

export function time(text) {
  return text.slice(11, 23).replace(/(\.\d{3})\d*/, "$1").replace("Z", "");
}

export function moment(text) {
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

export function duration(seconds) {
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

export function money(amount, currency) {
  return amount.toLocaleString("en", { style: "currency", currency, currencyDisplay: "code" });
}

export function json(value, pretty = true) {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, pretty ? 2 : 0);
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

export function told(operation, answer) {
  const message = typeof answer.body === "object" && answer.body !== null ? (answer.body.message ?? "") : "";
  say(`${operation} was answered ${answer.status}${message ? `: ${message}` : ""}`);
}

// Runs what a click wants, and says what went wrong.
export function doing(action) {
  return async (event) => {
    event?.preventDefault?.();
    try {
      await action(event);
    } catch (error) {
      say(error.message);
    }
  };
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} is copied.`);
  } catch {
    say(`The browser lets nothing be copied here; ${what} is: ${text}`);
  }
}
