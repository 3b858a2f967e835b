/** Shows one invoice with a button that collects it; every click resolves `page.done`. */
export function showInvoice(root, billing, invoice) {
  const page = { done: Promise.resolve() };
  root.innerHTML = '<p role="status"></p><button>Collect</button><p role="alert"></p>';
  const [status, alert] = root.querySelectorAll("p");
  const button = root.querySelector("button");

  const show = (shown) => {
    status.textContent = `Invoice ${shown.id}: ${shown.total} ${shown.currency}, ${shown.stripe_invoice_status ?? shown.status}`;
    button.disabled = shown.stripe_invoice_status === "paid";
  };

  const collect = async () => {
    button.disabled = true;
    alert.textContent = "";
    try {
      await billing.collect(invoice.id);
    } catch (refusal) {
      alert.textContent = refusal.message;
    }
    const found = await billing.invoices(`id:"${invoice.id}"`);
    show(found.data[0]);
  };

  button.addEventListener("click", () => {
    page.done = collect();
  });
  show(invoice);
  return page;
}
