// Builds elements. Text goes in as text alone: nothing that a server sends can become markup.

const NUMBERS = new Set(["amount", "minor units", "total", "open charges", "invoices", "charges", "exchanges", "idle", "struck", "requests", "2xx", "4xx",
  "5xx or none", "median", "95th of 100", "longest"]);
const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

export function replace(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
}

export function select(options, properties) {
  const entries = options.map((one) => (Array.isArray(one) ? one : [one, one]));
  const { value, ...rest } = properties;
  return h("select", rest, entries.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
}

export function labelled(text, control, properties) {
  return h("label", { class: "field", ...properties }, h("span", {}, text), control);
}

export function button(text, onclick, properties) {
  return h("button", { type: "button", onclick, ...properties }, text);
}

export function table(caption, heads, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption, "data-key": caption },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col", class: NUMBERS.has(head) ? "number" : null }, head)))),
      h("tbody", {}, rows),
    ),
  );
}

export function save(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
