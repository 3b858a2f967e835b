// A part of a panel that shows what the server has, asked anew when something happens, drawn anew when it differs.

import { replace } from "./dom.js";
import { look } from "./session.js";

export class Live {
  constructor(element, load, draw) {
    this.element = element;
    this.load = typeof load === "string" ? () => look(load) : load;
    this.draw = draw;
    this.known = null;
  }

  async refresh() {
    const value = await this.load();
    const written = JSON.stringify(value);
    if (written === this.known) return;
    this.known = written;
    const key = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    replace(this.element, this.draw(value));
    // What had the focus has it still, although it is another element now.
    if (key) this.element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }
}
