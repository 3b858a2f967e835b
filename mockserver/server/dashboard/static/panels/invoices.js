// Invoices and charges as they change, a search with its error at the character, and what a provider does to them.

import { button, h, labelled, replace, table } from "../lib/dom.js";
import { Live } from "../lib/panel.js";
import { call, look } from "../lib/session.js";
import { badge, doing, moment, money, say, told } from "../lib/shown.js";
import { drawLife } from "./invoice.js";

function pager(page, lastPage, total, what, turn) {
  return h("p", { class: "pager" },
    button("Newer", () => turn(page - 1), { disabled: page <= 1, "data-key": `${what}-newer` }),
    h("span", {}, ` page ${page} of ${lastPage}, ${total} ${what} `),
    button("Older", () => turn(page + 1), { disabled: page >= lastPage, "data-key": `${what}-older` }));
}

export class InvoicesPanel {
  constructor() {
    this.query = "";
    this.page = 1;
    this.chargePage = 1;
    this.opened = null;
    this.wrong = h("div", { class: "wrong", role: "status" });
    this.detail = h("section", { class: "detail", "aria-label": "The invoice", tabindex: -1, hidden: true });
    this.life = new Live(this.detail, () => look(`/invoices/${this.opened}`),
      (found) => drawLife(found, this.actions(found.invoice), () => this.close()));
    this.list = new Live(h("div", {}), () => this.search(), (found) => this.drawInvoices(found));
    this.charges = new Live(h("div", {}), () => look(`/charges?per_page=15&page=${this.chargePage}`), (found) => this.drawCharges(found));
    this.element = h("div", { class: "panel wide" },
      h("h1", {}, "Invoices"), this.searching(), this.wrong, this.list.element, this.detail,
      h("h2", {}, "Charges"), this.adding(), this.charges.element);
  }

  searching() {
    const input = h("input", {
      type: "search", id: "q", class: "mono", size: 44, spellcheck: "false", autocomplete: "off",
      placeholder: 'created_at$DATE>="2026-01-15" AND id>"3"', "aria-label": "Search, in the API's language q",
    });
    const find = doing(async () => {
      this.query = input.value;
      this.page = 1;
      await this.list.refresh();
    });
    return h("form", { class: "tools", role: "search", onsubmit: find }, input, h("button", {}, "Search"),
      h("span", { class: "soft" }, "fields: id, stripe_invoice_id, created_at$DATE"));
  }

  async search() {
    try {
      const found = await look(`/invoices?per_page=20&page=${this.page}&q=${encodeURIComponent(this.query)}`);
      replace(this.wrong);
      return found;
    } catch (error) {
      const position = Number(/^position (\d+)/.exec(error.message)?.[1]);
      if (!position) throw error;
      const pointer = `${this.query}\n${" ".repeat(position - 1)}^`;
      replace(this.wrong, h("pre", {}, pointer), h("p", {}, error.message));
      return { data: [], page: 1, last_page: 1, total: 0 };
    }
  }

  drawInvoices(found) {
    const turn = doing((page) => {
      this.page = page;
      return this.list.refresh();
    });
    const rows = found.data.map((one) => h("tr", { class: one.id === this.opened ? "chosen" : null },
      h("td", {}, button(String(one.id), doing(() => this.open(one.id)), { class: "link", "data-key": `open-${one.id}`, "aria-label": `Invoice ${one.id}` })),
      h("td", {}, badge(one.state)),
      h("td", { class: "number" }, money(one.total, one.currency)),
      h("td", {}, String(one.merchant)),
      h("td", {}, moment(one.created_at)),
      h("td", { class: "mono" }, one.stripe_invoice_id ?? "–"),
      h("td", { class: "doing" }, this.actions(one))));
    const heads = ["id", "state", "total", "merchant", "created", "on Stripe", "do"];
    return [
      table("Invoices", heads, rows, "No invoice matches."),
      found.last_page > 1 ? pager(found.page, found.last_page, found.total, "invoices", (page) => turn(page)) : null,
    ];
  }

  actions(one) {
    const send = (operation, path) => doing(async () => {
      told(`${operation} of invoice ${one.id}`, await call("POST", `/billing/invoices/${one.id}/${path}`));
      await this.refresh();
    });
    return [
      one.state === "draft" ? button("Finalize", send("Finalize", "finalize"), { "data-key": `do-${one.id}`, "aria-label": `Finalize invoice ${one.id}` }) : null,
      ["queued", "on_stripe", "declined"].includes(one.state)
        ? button("Collect", send("Collect", "collect"), { "data-key": `do-${one.id}`, "aria-label": `Collect invoice ${one.id}` })
        : null,
    ];
  }

  async open(id) {
    this.opened = id;
    this.detail.hidden = false;
    await this.life.refresh();
    this.detail.focus({ preventScroll: true });
    this.detail.scrollIntoView({ block: "nearest" });
    this.list.known = null;
    await this.list.refresh();
  }

  close() {
    const key = `open-${this.opened}`;
    this.opened = null;
    this.detail.hidden = true;
    this.list.element.querySelector(`[data-key="${key}"]`)?.focus();
  }

  adding() {
    const merchant = h("input", { type: "number", min: 1, value: "1", size: 4, class: "short" });
    const amount = h("input", { type: "number", step: "0.01", value: "12.50", class: "short" });
    const description = h("input", { value: "Relabelling", size: 16 });
    const add = doing(async () => {
      const body = { amount: Number(amount.value), description: description.value };
      told("The charge", await call("POST", "/billing/charges/quick-adjustment", { body, merchant: merchant.value }));
      await this.refresh();
    });
    const invoice = doing(async () => {
      told("The invoice", await call("POST", "/billing/invoices", { body: {}, merchant: merchant.value }));
      await this.refresh();
    });
    return h("form", { class: "tools", onsubmit: add, "aria-label": "A new charge" },
      labelled("merchant", merchant), labelled("amount", amount), labelled("description", description),
      h("button", {}, "Add a charge"), button("Invoice all open charges", invoice));
  }

  drawCharges(found) {
    const turn = doing((page) => {
      this.chargePage = page;
      return this.charges.refresh();
    });
    const rows = found.data.map((one) => h("tr", {},
      h("td", {}, String(one.id)),
      h("td", {}, badge(one.status)),
      h("td", { class: "number" }, money(one.amount, one.currency)),
      h("td", {}, String(one.merchant)),
      h("td", {}, moment(one.created_at)),
      h("td", {}, one.invoice === null ? "–" : String(one.invoice)),
      h("td", {}, one.category),
      h("td", { class: "text" }, one.description ?? "–")));
    const heads = ["id", "status", "amount", "merchant", "created", "invoice", "category", "description"];
    return [
      table("Charges", heads, rows, "There is no charge."),
      found.last_page > 1 ? pager(found.page, found.last_page, found.total, "charges", (page) => turn(page)) : null,
    ];
  }

  async refresh() {
    await Promise.all([this.list.refresh(), this.charges.refresh()]);
    if (this.opened !== null) {
      try {
        await this.life.refresh();
      } catch (error) {
        this.close();
        say(error.message);
      }
    }
  }
}
