// The records the page holds, and which of them the filter lets through.

export const MOST = 10_000;
const TRIM = 500;

/** Records in order of arrival, oldest first; at most MOST. */
export class Store {
  #events = [];
  #ids = new Set();
  #accepts = () => true;
  matches = [];

  get size() {
    return this.#events.length;
  }

  /** The newest record. */
  get newest() {
    return this.#events.at(-1);
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** Adds records that are not held yet; returns how many of them the filter lets through. */
  add(events) {
    let shown = 0;
    for (const event of events) {
      if (this.#ids.has(event.requestId)) continue;
      this.#ids.add(event.requestId);
      this.#events.push(event);
      if (this.#accepts(event)) {
        this.matches.push(event);
        shown += 1;
      }
    }
    if (this.#events.length > MOST) this.#forget(this.#events.length - MOST + TRIM);
    return shown;
  }

  /** Adds records that are older than those held, newest first; a gateway has filtered them already. */
  addOlder(events) {
    const fresh = events.filter((event) => !this.#ids.has(event.requestId)).reverse();
    for (const event of fresh) this.#ids.add(event.requestId);
    this.#events.unshift(...fresh);
    this.matches = this.#events.filter(this.#accepts);
  }

  /** Forgets everything, ids too. */
  forget() {
    this.#events = [];
    this.#ids = new Set();
    this.matches = [];
  }

  /** Shows only records that a predicate accepts. */
  filter(accepts) {
    this.#accepts = accepts;
    this.matches = this.#events.filter(accepts);
  }

  /** Forgets what is held; the ids stay known, so a reconnect does not bring cleared records back. */
  clear() {
    this.#ids = new Set(this.#events.map((event) => event.requestId));
    this.#events = [];
    this.matches = [];
  }

  #forget(number) {
    for (const event of this.#events.splice(0, number)) this.#ids.delete(event.requestId);
    this.matches = this.#events.filter(this.#accepts);
  }
}
