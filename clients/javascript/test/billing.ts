import type { Charge, Invoice, World } from "prepbusiness-mockserver";

/** A client of the API, as small as a test needs it. */
export class Billing {
  constructor(private readonly world: World) {}

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const json = body === undefined ? {} : { "Content-Type": "application/json" };
    return fetch(this.world.url + path, {
      method,
      headers: { ...this.world.headers, ...json, ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  /** A finalized invoice of one new charge. */
  async finalized(amount = 12.5): Promise<Invoice> {
    const merchant = { "X-Selected-Client-Id": "1" };
    const fee = { amount, description: "Relabelling" };
    const made = await this.send("POST", "/billing/charges/quick-adjustment", fee, merchant);
    const { charge } = (await made.json()) as { charge: Charge };
    const created = await this.send("POST", "/billing/invoices", { charge_ids: [charge.id] });
    const { invoice } = (await created.json()) as { invoice: Invoice };
    await this.send("POST", `/billing/invoices/${invoice.id}/finalize`);
    return invoice;
  }

  /** The status of an attempt to collect it. */
  async collect(invoice: Invoice): Promise<number> {
    return (await this.send("POST", `/billing/invoices/${invoice.id}/collect`)).status;
  }
}
