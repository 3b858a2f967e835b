// A list of any length of which only the rows in sight are in the page; a listbox for keyboards and screen readers.

import { h } from "./dom.js";

export class VirtualList {
  constructor({ label, row, choose, keys = {} }) {
    this.items = [];
    this.rows = new Map();
    this.row = row;
    this.choose = choose;
    this.keys = keys;
    this.active = -1;
    this.atEnd = true;
    this.space = h("div", { class: "space", role: "presentation" });
    this.element = h("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": label }, this.space);
    this.element.addEventListener("scroll", () => this.scrolled());
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.activate(Number(row.dataset.index), true);
    });
    this.height = 32;
    new ResizeObserver(() => this.resized()).observe(this.element);
  }

  // Rows are higher where there is little width. To ask for it at each drawing would have all styles computed at once.
  resized() {
    this.height = parseFloat(getComputedStyle(this.element).getPropertyValue("--row")) || this.height;
    this.stretch();
    this.follow();
  }

  stretch() {
    this.space.style.height = `${this.items.length * this.height}px`;
  }

  show(items) {
    const chosen = this.items[this.active]?.number;
    this.items = items;
    this.active = chosen === undefined ? -1 : items.findIndex((one) => one.number === chosen);
    this.stretch();
    this.follow();
  }

  // Whoever is at the end stays there, also when the list was out of sight meanwhile.
  follow() {
    if (this.atEnd) this.element.scrollTop = this.element.scrollHeight;
    this.draw();
  }

  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    this.atEnd = scrollTop + clientHeight >= scrollHeight - 4;
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const height = this.height;
    const first = Math.max(0, Math.floor(this.element.scrollTop / height) - 4);
    const last = Math.min(this.items.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / height) + 4);
    const wanted = [];
    for (let index = first; index < last; index += 1) wanted.push(index);
    if (this.active >= 0 && (this.active < first || this.active >= last)) wanted.push(this.active);
    this.keep(new Set(wanted.map((index) => this.items[index])));
    let place = this.space.firstChild;
    for (const index of wanted) {
      const row = this.drawn(index, height);
      if (row === place) place = place.nextSibling;
      else this.space.insertBefore(row, place);
    }
    const current = this.active >= 0 ? `row-${this.items[this.active].number}` : null;
    if (current) this.element.setAttribute("aria-activedescendant", current);
    else this.element.removeAttribute("aria-activedescendant");
  }

  keep(items) {
    for (const [item, row] of this.rows) {
      if (items.has(item)) continue;
      row.remove();
      this.rows.delete(item);
    }
  }

  // The row of an item is built once, for as long as it is in sight: what changes is where it stands.
  drawn(index, height) {
    const item = this.items[index];
    const row = this.rows.get(item) ?? h("div", { role: "option", id: `row-${item.number}`, class: "row" }, this.row(item));
    this.rows.set(item, row);
    row.setAttribute("aria-selected", String(index === this.active));
    row.setAttribute("aria-setsize", this.items.length);
    row.setAttribute("aria-posinset", index + 1);
    row.dataset.index = index;
    row.style.transform = `translateY(${index * height}px)`;
    return row;
  }

  activate(index, chosen) {
    if (!this.items.length) return;
    this.active = Math.min(this.items.length - 1, Math.max(0, index));
    const { height } = this;
    const top = this.active * height;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top + height > this.element.scrollTop + this.element.clientHeight) {
      this.element.scrollTop = top + height - this.element.clientHeight;
    }
    this.draw();
    if (chosen) this.choose(this.items[this.active]);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.height) - 1);
    const from = this.active < 0 ? this.items.length : this.active;
    const moves = {
      ArrowDown: from + 1, ArrowUp: from - 1, PageDown: from + page, PageUp: from - page, Home: 0, End: this.items.length - 1,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.activate(moves[event.key], false);
    else if ((event.key === "Enter" || event.key === " ") && this.active >= 0) this.choose(this.items[this.active]);
    else if (event.key in this.keys) this.keys[event.key]();
    else return;
    event.preventDefault();
  }
}
