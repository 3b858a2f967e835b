// Reads a form as the JSON that the control interface takes.

import { h } from "./dom.js";

// Seconds, or an ISO 8601 duration as it is written.
export function durationInput(name, value) {
  return h("input", { name, value, class: "short", "data-duration": true });
}

function read(control) {
  const number = control.type === "number" || ("duration" in control.dataset && /^[\d.]+$/.test(control.value));
  return number ? Number(control.value) : control.value;
}

// What is left empty is left out.
export function typed(container) {
  const filled = [...container.querySelectorAll("[name]")].filter((control) => control.value !== "");
  return Object.fromEntries(filled.map((control) => [control.name, read(control)]));
}
