// A part of a panel that shows what the server has, asked anew when something happens, drawn anew where it differs.

import { h } from "./dom.js";
import { look } from "./session.js";

const PARTED = ".scroll, table, tbody";

// What was unfolded by hand was drawn folded.
function same(old, fresh) {
  if (old.isEqualNode(fresh)) return true;
  if (!old.querySelector?.("details[open]")) return false;
  const folded = old.cloneNode(true);
  for (const details of folded.querySelectorAll("details[open]")) details.open = false;
  return folded.isEqualNode(fresh);
}

function alike(old, fresh) {
  return same(old, fresh) || (old.nodeName === fresh.nodeName && Boolean(old.matches?.(PARTED)));
}

// Rows that are the same stay the very same elements, and so does what is around them: a choice that hangs open, a body
// that was unfolded, and how far a wide table is scrolled outlast what happens to other rows.
function settle(old, fresh) {
  const wanted = [...fresh.childNodes];
  for (const node of [...old.childNodes]) {
    if (!wanted.some((one) => alike(node, one))) node.remove();
  }
  let place = old.firstChild;
  for (const node of wanted) {
    if (place && alike(place, node)) {
      if (!same(place, node)) settle(place, node);
      place = place.nextSibling;
    } else old.insertBefore(node, place);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

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
    const focused = document.activeElement;
    const key = this.element.contains(focused) ? focused.dataset.key : null;
    settle(this.element, h("div", {}, this.draw(value)));
    if (!key || focused.isConnected) return;
    // What had the focus has it still, although it is another element now; if it is gone, what it stood in has it.
    const heir = this.element.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? this.element.querySelector(".scroll");
    (heir ?? this.element).focus({ preventScroll: true });
  }
}
