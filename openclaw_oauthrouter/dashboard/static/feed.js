// The live feed: ten thousand records, but only the rows in sight are elements.

import { h } from "./dom.js";
import { isToday } from "./format.js";
import { COLUMNS, row } from "./rows.js";

const OVERSCAN = 6;

/** A grid over `store.matches`, newest first; keyboard: arrows, Page, Home, End, Enter. */
export class Feed {
  #rows = new Map();
  #first = 0;
  #focused = null;
  #scheduled = false;

  constructor({ element, store, onOpen, onEnd = () => {} }) {
    this.element = element;
    this.store = store;
    this.onOpen = onOpen;
    this.onEnd = onEnd;
    this.selected = null;
    const headings = COLUMNS.map(([key, label, numeric]) =>
      h("div", { role: "columnheader", class: `cell ${key}${numeric ? " number" : ""}` }, label),
    );
    this.head = h("div", { role: "row", class: "row head", "aria-rowindex": "1" }, ...headings);
    this.body = h("div", { role: "rowgroup", class: "rows" });
    element.append(h("div", { role: "rowgroup", class: "heads" }, this.head), this.body);
    element.addEventListener("scroll", () => this.schedule(), { passive: true });
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("focusin", (event) => this.#noteFocus(event.target));
    this.body.addEventListener("click", (event) => this.#open(event.target.closest(".row")));
    new ResizeObserver(() => this.#resized()).observe(element);
  }

  /** New records came in on top; who has scrolled away keeps what he reads in place. */
  added(number) {
    if (number && this.element.scrollTop > 0) this.element.scrollTop += number * this.rowHeight;
    this.schedule();
  }

  /** Looks at another store. */
  show(store) {
    this.store = store;
    this.redraw();
  }

  /** Opens the request after or before the one that is open. */
  step(by) {
    const at = this.selected ? this.store.matches.indexOf(this.selected) : this.store.matches.length;
    const event = this.store.matches[at - by];
    if (!event) return;
    const index = this.store.matches.length - 1 - (at - by);
    const top = index * this.rowHeight;
    if (top < this.element.scrollTop || top + 2 * this.rowHeight > this.element.scrollTop + this.element.clientHeight) this.element.scrollTop = Math.max(0, top - this.element.clientHeight / 2);
    this.onOpen(event);
  }

  toTop() {
    this.element.scrollTop = 0;
    this.schedule();
  }

  /** Draws everything anew: the filter or the selection changed. */
  redraw() {
    for (const element of this.#rows.values()) element.remove();
    this.#rows.clear();
    this.schedule();
  }

  select(event) {
    this.selected = event;
    for (const [shown, element] of this.#rows) element.setAttribute("aria-selected", String(shown === event));
  }

  schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #resized() {
    const height = Number.parseFloat(getComputedStyle(this.element).getPropertyValue("--row-height"));
    if (height && height !== this.rowHeight) this.rowHeight = height;
    this.schedule();
  }

  #draw() {
    const total = this.store.matches.length;
    if (!this.rowHeight || !this.element.clientHeight) return;
    this.body.style.setProperty("height", `${total * this.rowHeight}px`);
    this.element.setAttribute("aria-rowcount", String(total + 1));
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.rowHeight) - OVERSCAN);
    const last = Math.min(total, Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.rowHeight) + OVERSCAN);
    this.#first = first;
    // The column of times has room for days where rows of other days are in sight.
    this.element.classList.toggle("days", last > first && !isToday(this.#at(last - 1).ts));
    const wanted = new Set();
    for (let index = first; index < last; index += 1) wanted.add(this.#place(index));
    for (const [event, element] of this.#rows) if (!wanted.has(event)) this.#drop(event, element);
    this.#keepReachable();
    if (last >= total - OVERSCAN) this.onEnd();
  }

  #place(index) {
    const event = this.#at(index);
    let element = this.#rows.get(event);
    if (!element) {
      element = row(event, index, event === this.selected);
      element.record = event;
      this.#rows.set(event, element);
      this.body.append(element);
    }
    element.setAttribute("aria-rowindex", String(index + 2));
    element.style.setProperty("transform", `translateY(${index * this.rowHeight}px)`);
    return event;
  }

  #drop(event, element) {
    if (element.contains(document.activeElement)) return;
    this.#rows.delete(event);
    element.remove();
  }

  #at(index) {
    return this.store.matches[this.store.matches.length - 1 - index];
  }

  #indexOf(event) {
    const position = this.store.matches.lastIndexOf(event);
    return position < 0 ? -1 : this.store.matches.length - 1 - position;
  }

  // One row at a time can be reached by Tab; the arrows lead on from there.
  #keepReachable() {
    const reachable = this.#rows.get(this.#focused) ?? this.#rows.get(this.#at(this.#first));
    for (const element of this.#rows.values()) element.tabIndex = element === reachable ? 0 : -1;
  }

  #noteFocus(target) {
    const element = target.closest(".row");
    if (element?.record) this.#focused = element.record;
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      event.preventDefault();
      this.#move(steps[event.key]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#open(document.activeElement.closest(".row"));
    }
  }

  #move(step) {
    const from = Math.max(0, this.#indexOf(this.#focused));
    const index = Math.min(Math.max(from + step, 0), this.store.matches.length - 1);
    if (index < 0) return;
    this.#scrollTo(index);
    this.#draw();
    const element = this.#rows.get(this.#at(index));
    element?.focus({ preventScroll: true });
    this.#keepReachable();
  }

  #scrollTo(index) {
    const top = index * this.rowHeight;
    const seen = this.element.clientHeight - this.head.offsetHeight;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top + this.rowHeight > this.element.scrollTop + seen) this.element.scrollTop = top + this.rowHeight - seen;
  }

  #open(element) {
    if (element?.record) this.onOpen(element.record);
  }
}
