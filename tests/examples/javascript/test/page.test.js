import { beforeEach, describe, expect, test } from "vitest";

import { Billing } from "../src/billing.js";
import { showInvoice } from "../src/page.js";
import { newWorld } from "./world.js";

const VISA = "pm_card_visa";
const EXPIRED = "pm_card_chargeDeclinedExpiredCard";

describe.concurrent("the page of an invoice", () => {
  beforeEach(async (context) => {
    context.world = newWorld();
    context.billing = new Billing(context.world.api, context.world.token);
    context.root = document.createElement("main");
    const { charge } = await context.billing.charge(1, 12.5, "Relabelling");
    const { invoice } = await context.billing.create([charge.id]);
    context.invoice = (await context.billing.finalize(invoice.id)).invoice;
    context.click = async () => {
      context.root.querySelector("button").click();
      await context.page.done;
    };
    context.page = showInvoice(context.root, context.billing, context.invoice);
    context.alert = () => context.root.querySelector("[role=alert]").textContent;
    context.status = () => context.root.querySelector("[role=status]").textContent;
  });

  test("collects", async ({ click, status, alert, root }) => {
    await click();
    expect(status()).toContain("paid");
    expect(alert()).toBe("");
    expect(root.querySelector("button").disabled).toBe(true);
  });

  test("says why a card was declined, and collects when asked again", async ({ world, click, status, alert }) => {
    await world.control("PUT", "/merchants/1/card", { card: EXPIRED });
    await click();
    expect(alert()).toContain("expired_card");
    expect(status()).not.toContain("paid");

    await world.control("PUT", "/merchants/1/card", { card: VISA });
    await click();
    expect(alert()).toBe("");
    expect(status()).toContain("paid");

    const { data } = await world.control("GET", "/stripe/ledger");
    expect(data.map((attempt) => attempt.charged)).toEqual([false, true]);
  });

  test("can be tried again after Stripe was down, and charges once", async ({ world, click, status, alert, invoice }) => {
    await world.control("POST", "/faults", { kind: "lost_answer", count: 1 });
    await click();
    expect(alert()).not.toBe("");
    await click();
    expect(status()).toContain("paid");

    const { data } = await world.control("GET", `/stripe/ledger?invoice=${invoice.id}`);
    expect(data.filter((attempt) => attempt.charged)).toHaveLength(1);
  });

  test("never shows what happens in another world", async ({ billing, invoice }) => {
    const other = new Billing(newWorld().api, newWorld().token);
    expect((await billing.invoices(`id:"${invoice.id}"`)).total).toBe(1);
    expect((await other.invoices(`id:"${invoice.id}"`)).total).toBe(0);
  });
});
