// The life of one invoice: what happened when, its charges, and every attempt to charge a card for it.

import { button, h, table } from "../lib/dom.js";
import { badge, moment, money, outcome } from "../lib/shown.js";

// Steps in the order in which they happened; of the creation on Stripe the fake keeps no time.
function steps({ invoice, attempts, due }) {
  const found = [{ what: "created as a draft", at: invoice.created_at, tone: "grey" }];
  if (invoice.finalized_at) found.push({ what: "finalized", at: invoice.finalized_at, tone: "calm" });
  const waits = due && !invoice.payment_pending;
  if (waits) found.push({ what: "will be on Stripe", at: due, tone: "warn" });
  else if (invoice.stripe_invoice_id) found.push({ what: `on Stripe as ${invoice.stripe_invoice_id}`, at: null, tone: "calm" });
  for (const one of attempts) {
    const what = `attempt ${one.number}: ${one.outcome.replaceAll("_", " ")}${one.charged ? ", charged" : ""}`;
    found.push({ what, at: one.at, tone: one.code || !one.charged ? "bad" : "good" });
  }
  if (invoice.payment_pending) found.push({ what: "Stripe will report the payment", at: due, tone: "warn" });
  if (invoice.state === "paid") found.push({ what: "paid", at: null, tone: "good" });
  if (invoice.voided_at) found.push({ what: "void", at: invoice.voided_at, tone: "grey" });
  return found;
}

function attempt(one) {
  return h("tr", {},
    h("td", {}, String(one.number)), h("td", {}, moment(one.at)), h("td", {}, outcome(one.outcome)),
    h("td", { class: "number" }, `${one.amount} ${one.currency}`), h("td", { class: "mono" }, one.card),
    h("td", { class: "mono" }, one.idempotency_key), h("td", {}, one.charged ? "yes" : "no"));
}

export function drawLife(found, actions, close) {
  const { invoice, charges, attempts } = found;
  const line = steps(found).map((one) => h("li", { class: one.tone },
    h("span", { class: "what" }, one.what), one.at ? h("time", { datetime: one.at }, moment(one.at)) : null));
  const rows = charges.map((one) => h("tr", {},
    h("td", {}, String(one.id)), h("td", { class: "number" }, money(one.amount, one.currency)), h("td", {}, one.category),
    h("td", { class: "text" }, one.description ?? "–")));
  return [
    h("div", { class: "tools" }, h("h2", {}, `Invoice ${invoice.id} `, badge(invoice.state)), actions,
      button("Close", close, { class: "close", "data-key": "close" })),
    h("ol", { class: "life", "aria-label": "Its life" }, line),
    h("h3", {}, "Attempts to charge"),
    table("Attempts to charge", ["no", "when", "outcome", "minor units", "card", "idempotency key", "charged"], attempts.map(attempt), "Nobody has tried yet."),
    h("h3", {}, `Charges, ${money(invoice.total, invoice.currency)}`),
    table("Charges of the invoice", ["id", "amount", "category", "description"], rows, "It has no charge."),
  ];
}
