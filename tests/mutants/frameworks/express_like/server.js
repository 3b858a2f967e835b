// The billing API on Express, with qs reading queries and forms and SQLite as WebAssembly.
// Started by __main__.py, which passes the choices and the parties in the environment.

import express from "express";
import { stringify } from "node:querystring";

import { Billing } from "./billing.js";
import * as reading from "./reading.js";
import { condition } from "./search.js";
import { Store, now } from "./store.js";

const choices = JSON.parse(process.env.BILLING_CHOICES);
const parties = JSON.parse(process.env.BILLING_PARTIES);
const store = new Store(process.env.BILLING_DATABASE, choices, parties);
const billing = new Billing(store, choices);
const merchants = new Map(parties.merchants.map((merchant) => [merchant.id, merchant]));
const { Refused } = reading;

const partyId = choices.party_id_type === "string" ? String : Number;

function common(row) {
  const merchant = merchants.get(row.merchant);
  return {
    id: row.id,
    charger_id: partyId(merchant.provider),
    charger_type: "company",
    chargee_id: partyId(merchant.id),
    chargee_type: "merchant",
    created_at: moment(row.created_at),
    currency: merchant.currency,
  };
}

function moment(text) {
  const digits = {
    seconds: "Z",
    zero_microseconds: ".000000Z",
    microseconds: `${text.slice(19, -1)}000Z`,
    native: text.slice(19),
  };
  return text.slice(0, 19) + digits[choices.created_at_precision];
}

function money(row, minor) {
  return minor / 10 ** parties.places[merchants.get(row.merchant).currency];
}

function shownInvoice(row) {
  const label = row.state === "draft" ? "Draft" : choices.finalized_label;
  const shown = {
    ...common(row),
    status: row.stripe_status === "paid" && choices.paid_label ? choices.paid_label : label,
    stripe_invoice_status: row.stripe_status,
    stripe_invoice_id: row.stripe_id,
    description: null,
    total: money(row, row.total),
  };
  return choices.answers === "rich" ? { ...shown, lines: [], _links: { self: `/invoices/${row.id}` } } : shown;
}

function shownCharge(row) {
  const shown = {
    ...common(row),
    price: money(row, row.amount),
    amount: money(row, row.amount),
    status: row.invoice === null ? "Open" : "Invoiced",
    category: "Adjustment",
    description: row.description,
    stripe_invoice_item_id: null,
  };
  return choices.answers === "rich" ? { ...shown, invoice_number: row.invoice } : shown;
}

function withItems(row) {
  return { charge: shownCharge(row), charge_items: [{ charge_id: row.id, amount: money(row, row.amount) }] };
}

// The merchants whose records a request reaches.
function reach(request) {
  const selected = reading.selectMerchant(request, choices, parties);
  const { provider } = request.token;
  const reached = parties.merchants.filter((one) => one.provider === provider && selected === (selected && one.id));
  return { selected, reached: reached.map((one) => one.id) };
}

function list(table, show, searched) {
  return (request, response) => {
    const early = choices.merchant_check === "first" && reach(request);
    const [wanted, values] = searched ? condition(request.query.q, choices) : ["true", []];
    const [page, size] = reading.pageAndSize(request, choices);
    const { reached } = early || reach(request);
    const source = `from ${table} where merchant in (${reached.map(() => "?").join(", ")}) and ${wanted}`;
    const bound = [...reached, ...values];
    const { total } = store.one(`select count(*) as total ${source}`, bound);
    const offset = (page - 1) * size;
    const order = choices.list_order === "newest_first" ? "desc" : "asc";
    const sql = `select * ${source} order by number ${order} limit ? offset ?`;
    const rows = offset < total ? store.all(sql, [...bound, Math.min(size, total), offset]) : [];
    const last = Math.max(1, Math.ceil(total / size));
    response.json({
      data: rows.map(show),
      current_page: page,
      per_page: size,
      last_page: last,
      total,
      from: rows.length ? offset + choices.range_base : null,
      to: rows.length ? offset + rows.length : null,
      ...links(request, page, last),
    });
  };
}

function links(request, page, last) {
  if (choices.page_links === "absent") return {};
  const path = `${request.protocol}://${request.get("host")}${request.baseUrl}${request.path}`;
  const { api_token, page: _, ...kept } = choices.page_links === "keep_query" ? request.query : {};
  const link = (number) => (number >= 1 && number <= last ? `${path}?${stringify({ ...kept, page: number })}` : null);
  return {
    path,
    first_page_url: link(1),
    last_page_url: link(last),
    next_page_url: link(page + 1),
    prev_page_url: link(page - 1),
  };
}

function create(request, response) {
  const early = choices.merchant_check === "first" && reach(request);
  reading.knownOnly(request, choices, "charge_ids");
  const wanted = reading.chargeIds(request, choices);
  const { reached, selected } = early || reach(request);
  const invoice = billing.create(reached, wanted, selected);
  response.status(choices.create_status).json({ message: "Invoice created", invoice: shownInvoice(invoice) });
}

function find(table, request, id, foreignStatus) {
  const early = choices.merchant_check === "first" && reach(request);
  const row = /^[0-9]{1,15}$/.test(id) ? store.one(`select * from ${table} where id = ?`, [Number(id)]) : null;
  if (!row) throw new Refused(404, "Not found");
  const { reached } = early || reach(request);
  if (!reached.includes(row.merchant)) throw new Refused(foreignStatus, "Not found");
  return row;
}

function action(change, message, status) {
  return async (request, response) => {
    const invoice = find("invoices", request, request.params.invoice, choices.foreign_invoice_status);
    await change(invoice);
    const shown = shownInvoice(store.one("select * from invoices where number = ?", [invoice.number]));
    response.status(status).json(choices.action_body === "message" ? { message } : { message, invoice: shown });
  };
}

function adjust(request, response) {
  const { selected } = reach(request);
  reading.knownOnly(request, choices, "amount", "description");
  if (selected === null) throw new Refused(choices.missing_merchant_status, "X-Selected-Client-Id is required.");
  const given = reading.adjustment(request, choices, parties.places[merchants.get(selected).currency]);
  const charge = store.atomic(() => store.insert("charges", { merchant: selected, created_at: now(), ...given }));
  response.status(choices.companion_status).json(withItems(charge));
}

function routes() {
  const api = express.Router();
  api.use(reading.readBody, reading.authenticate(parties), reading.refuseUnreadable(choices));
  api.get("/billing/invoices", list("invoices", shownInvoice, true));
  api.post("/billing/invoices", create);
  const collect = (invoice) => billing.collect(invoice, merchants.get(invoice.merchant));
  const finalize = (invoice) => billing.finalize(invoice.number);
  api.post("/billing/invoices/:invoice/finalize", action(finalize, "Invoice finalized", choices.finalize_status));
  api.post("/billing/invoices/:invoice/collect", action(collect, "Payment collected", choices.collect_status));
  if (choices.companions === "present") {
    api.get("/billing/charges", list("charges", shownCharge, false));
    api.post("/billing/charges/quick-adjustment", adjust);
    api.get("/billing/charges/:charge", (request, response) => {
      response.json(withItems(find("charges", request, request.params.charge, 404)));
    });
  } else if (choices.companions === "absent_405") {
    api.all(/^\/billing\/charges/, () => {
      throw new Refused(405, "Method not allowed");
    });
  }
  return api;
}

const app = express();
app.set("query parser", "extended");
app.get("/_stripe", (request, response) => response.json(billing.ledger));
app.use("/api", routes());
app.use((request) => {
  throw new Refused(404, `Cannot ${request.method} ${request.path}`);
});
app.use((error, request, response, next) => {
  const status = error.status ?? error.statusCode ?? 500;
  if (status >= 500) process.stderr.write(`${error.stack}\n`);
  response.status(status).json({ message: error.message, errors: error.errors });
});

const server = app.listen(Number(process.env.BILLING_PORT), "127.0.0.1", () => {
  process.stdout.write(`ready http://127.0.0.1:${server.address().port}/api\n`);
});
