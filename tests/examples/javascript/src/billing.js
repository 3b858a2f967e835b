/** The billing API as the page needs it. */
export class Billing {
  constructor(address, token) {
    this.address = address;
    this.token = token;
  }

  invoices(search = "") {
    return this.#send("GET", `/billing/invoices?${new URLSearchParams(search ? { q: search } : {})}`);
  }

  charge(merchant, amount, description) {
    return this.#send("POST", "/billing/charges/quick-adjustment", { amount, description }, merchant);
  }

  create(chargeIds) {
    return this.#send("POST", "/billing/invoices", { charge_ids: chargeIds });
  }

  finalize(invoice) {
    return this.#send("POST", `/billing/invoices/${invoice}/finalize`);
  }

  collect(invoice) {
    return this.#send("POST", `/billing/invoices/${invoice}/collect`);
  }

  async #send(method, path, body, merchant) {
    const headers = { Accept: "application/json", Authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (merchant !== undefined) headers["X-Selected-Client-Id"] = String(merchant);
    const answer = await fetch(this.address + path, { method, headers, body: body && JSON.stringify(body) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    return told;
  }
}
