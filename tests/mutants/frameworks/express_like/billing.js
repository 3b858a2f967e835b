// Making, finalizing and collecting invoices, and a Stripe that charges whenever it is asked to.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { Refused, invalid } from "./reading.js";
import { now } from "./store.js";

const MINIMUM = { USD: 50, EUR: 50, JPY: 50 };

class Declined extends Error {}

export class Billing {
  ledger = { invoices: [], charges: {} };
  #store;
  #choices;
  #creating = new Map();

  constructor(store, choices) {
    this.#store = store;
    this.#choices = choices;
  }

  create(reached, wanted, selected) {
    const store = this.#store;
    const marks = reached.map(() => "?").join(", ");
    return store.atomic(() => {
      const chosen = wanted
        ? wanted.map((id, place) => this.#openCharge(reached, id, place))
        : store.all(`select * from charges where invoice is null and merchant in (${marks})`, reached);
      const owners = new Set(chosen.map((charge) => charge.merchant));
      if (owners.size > 1) throw invalid(this.#choices, "charge_ids", "the charges are of several clients; select one");
      if (!chosen.length && (this.#choices.no_charges === "refuse" || selected === null))
        throw invalid(this.#choices, "charge_ids", "there is nothing to invoice");
      const total = chosen.reduce((sum, charge) => sum + charge.amount, 0);
      const merchant = chosen.length ? chosen[0].merchant : selected;
      const invoice = store.insert("invoices", { merchant, created_at: now(), total });
      for (const charge of chosen)
        store.change("update charges set invoice = ? where number = ?", [invoice.number, charge.number]);
      return invoice;
    });
  }

  #openCharge(reached, id, place) {
    const charge = this.#store.one("select * from charges where id = ?", [id]);
    if (!charge || !reached.includes(charge.merchant))
      throw invalid(this.#choices, `charge_ids.${place}`, `there is no charge ${id}`);
    if (charge.invoice !== null) throw invalid(this.#choices, `charge_ids.${place}`, `charge ${id} is invoiced`);
    return charge;
  }

  async finalize(number) {
    await sleep(this.#choices.slow_seconds * 1000);
    const sql = "update invoices set state = 'finalized' where number = ? and state = 'draft'";
    if (!this.#store.change(sql, [number])) {
      if (this.#choices.refinalize === "accept") return;
      throw new Refused(this.#choices.illegal_state_status, "The invoice is no draft.");
    }
    setTimeout(() => this.#putOnStripe(number), this.#choices.queue_seconds * 1000);
  }

  // Whoever marks the invoice as busy may charge for it; nobody else meanwhile.
  async collect(invoice, merchant) {
    const { number } = invoice;
    const choices = this.#choices;
    const sql = "update invoices set busy = 1 where number = ? and state = 'finalized' and busy = 0";
    if (!this.#store.change(sql, [number])) {
      const { state } = this.#store.one("select state from invoices where number = ?", [number]);
      if (state === "paid" && choices.recollect === "accept") return;
      const why = { draft: "has to be finalized first", paid: "is paid" }[state] ?? "is being collected";
      throw new Refused(choices.illegal_state_status, `The invoice ${why}.`);
    }
    try {
      const stripeId = await this.#putOnStripe(number);
      await sleep(choices.slow_seconds * 1000);
      this.#charge(stripeId, invoice.total, merchant);
      this.#store.change("update invoices set state = 'paid' where number = ?", [number]);
    } catch (error) {
      if (error instanceof Declined) throw new Refused(choices.declined_status, error.message);
      throw error;
    } finally {
      this.#store.change("update invoices set busy = 0 where number = ?", [number]);
    }
    if (choices.payment_shown === "at_once") this.#showPaid(number);
    else setTimeout(() => this.#showPaid(number), choices.payment_seconds * 1000);
  }

  // Creates an invoice on Stripe once, however many ask for it at the same time.
  #putOnStripe(number) {
    if (!this.#creating.has(number)) this.#creating.set(number, this.#createOnStripe(number));
    return this.#creating.get(number);
  }

  async #createOnStripe(number) {
    const known = this.#store.one("select stripe_id from invoices where number = ?", [number]).stripe_id;
    if (known !== null) return known;
    await sleep(5);
    const made = `in_${randomBytes(12).toString("hex")}`;
    this.ledger.invoices.push(made);
    this.#store.change("update invoices set stripe_id = ?, stripe_status = 'open' where number = ?", [made, number]);
    return made;
  }

  #charge(stripeId, minor, merchant) {
    if (minor <= 0) return;
    if (merchant.card !== "pm_card_visa") throw new Declined("Your card was declined.");
    if (minor < (MINIMUM[merchant.currency] ?? 0)) throw new Declined("The amount is too small.");
    this.ledger.charges[stripeId] = (this.ledger.charges[stripeId] ?? 0) + 1;
  }

  #showPaid(number) {
    this.#store.change("update invoices set stripe_status = 'paid' where number = ?", [number]);
  }
}
