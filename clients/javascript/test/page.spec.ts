import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, test } from "prepbusiness-mockserver/playwright";

import { Billing } from "./billing.js";

const PAGE = `<!doctype html>
<button>Pay</button><p role="status"></p>
<script>
  const { url, token, invoice } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  document.querySelector("button").onclick = async () => {
    const headers = { Authorization: "Bearer " + token };
    const answer = await fetch(url + "/billing/invoices/" + invoice + "/collect", { method: "POST", headers });
    document.querySelector("p").textContent = answer.ok ? "Paid" : (await answer.json()).message;
  };
</script>`;

let shop: Server;
let address: string;

// As a team's own development server: to a page of another machine, the browser would not give the fake on this one.
test.beforeAll(async () => {
  shop = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(PAGE));
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
});

test.afterAll(() => shop.close());

test("a declined card is told, and another one pays", async ({ page, world }) => {
  const invoice = await new Billing(world).finalized();
  const given = { url: world.url, token: world.token, invoice: invoice.id };
  await page.goto(`${address}/#${encodeURIComponent(JSON.stringify(given))}`);
  const declined = await world.declines("expired_card");
  await page.getByRole("button").click();
  await expect(page.getByRole("status")).toContainText("expired");

  await declined.undo();
  await page.getByRole("button").click();
  await expect(page.getByRole("status")).toHaveText("Paid");
  await world.verify([
    { operation: "collectInvoice", status: 402, at_most: 1 },
    { operation: "collectInvoice", status: 200, at_most: 1 },
  ]);
});

test("each test has a world of its own", async ({ world }) => {
  expect(await world.journal()).toHaveLength(0);
  expect(world.name).toMatch(/^each-test-has-a-world-of-its-own-/);
});

test("the server takes the options of the configuration", async ({ world }) => {
  const invoice = await new Billing(world).finalized();
  const list = await new Billing(world).send("GET", `/billing/invoices?q=${encodeURIComponent(`id:"${invoice.id}"`)}`);
  const { data } = (await list.json()) as { data: { stripe_invoice_id: string | null }[] };
  expect(data[0]?.stripe_invoice_id).toMatch(/^in_/);
});
