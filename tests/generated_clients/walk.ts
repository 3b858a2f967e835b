// Walks through all seven operations with a client typed by openapi.yaml: `node build/walk.js ADDRESS [TOKEN [MERCHANT]]`.

import createClient from "openapi-fetch";
import type { components, paths } from "./build/api.js";

declare const process: { argv: string[] };

type Invoice = components["schemas"]["Invoice"];
type Refusal = components["schemas"]["Error"];

/** The data of an answer that was no refusal. */
function accepted<Data>(what: string, answer: { data?: Data; error?: Refusal; response: Response }): Data {
  if (answer.data === undefined) {
    throw new Error(`${what}: ${answer.response.status} ${answer.error?.message ?? "without a message"}`);
  }
  return answer.data;
}

function insist(claim: boolean, what: string): void {
  if (!claim) throw new Error(`not so: ${what}`);
}

/** Charges a merchant, invoices the charge, finalizes and collects; returns the paid invoice as the list shows it. */
export async function walk(baseUrl: string, token: string, merchant: number): Promise<Invoice> {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
  const header = { "X-Selected-Client-Id": merchant };

  const { charge } = accepted(
    "createQuickAdjustment",
    await client.POST("/billing/charges/quick-adjustment", {
      params: { header },
      body: { amount: 12.5, description: "Relabelling" },
    }),
  );
  const shown = accepted(
    "getCharge",
    await client.GET("/billing/charges/{charge}", { params: { path: { charge: charge.id }, header } }),
  );
  insist(shown.charge.amount === 12.5, "the charge has the amount that was given");
  const charges = accepted("listCharges", await client.GET("/billing/charges", { params: { header } }));
  insist(charges.data[0]?.id === charge.id, "the newest charge comes first");

  const { invoice } = accepted(
    "createInvoice",
    await client.POST("/billing/invoices", { params: { header }, body: { charge_ids: [charge.id] } }),
  );
  insist(invoice.status === "Draft" && invoice.stripe_invoice_status === null, "a new invoice is a draft");
  const path = { invoice: invoice.id };
  const early = await client.POST("/billing/invoices/{invoice}/collect", { params: { path, header } });
  insist(early.error !== undefined, "collecting a draft is refused");
  accepted("finalizeInvoice", await client.POST("/billing/invoices/{invoice}/finalize", { params: { path, header } }));
  accepted("collectInvoice", await client.POST("/billing/invoices/{invoice}/collect", { params: { path, header } }));

  const page = accepted(
    "listInvoices",
    await client.GET("/billing/invoices", {
      params: { query: { q: `id:"${invoice.id}"`, page: 1, per_page: 15 }, header },
    }),
  );
  const found = page.data[0];
  if (found === undefined) throw new Error("not so: the invoice is in the list");
  insist(page.total === 1 && found.stripe_invoice_status === "paid", "the invoice is paid");
  return found;
}

const [address, token = "provider", merchant = "1"] = process.argv.slice(2);
if (address !== undefined) {
  const paid = await walk(address, token, Number(merchant));
  console.log(`TypeScript client: invoice ${paid.id} over ${paid.total} ${paid.currency} is ${paid.stripe_invoice_status}`);
}
