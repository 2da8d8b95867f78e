// The sentence on top, the figures under it and the panels beside the list: all of one span, the one that is chosen.

import { byId } from "./dom.js";
import { sentence } from "./headline.js";
import { spanOf } from "./history.js";
import { Panels } from "./panels.js";
import { load } from "./stream.js";

const NEAR = { "1 h": 3_600_000, "24 h": 86_400_000 };
const WORDS = { live: "Today", today: "Today", 7: "Last 7 days:", 30: "Last 30 days:" };

export class Figures {
  #panels = new Panels({ strip: byId("strip"), rail: byId("panels") });
  #asked = 0;

  /** `range()` names the span; `near()` is how far back the panels look while the list is live: "1 h" or "24 h". */
  constructor({ range, near, demo, onIndexing }) {
    Object.assign(this, { range, near, demo, onIndexing });
  }

  /** Asks the gateway anew; throws when it does not answer. */
  async refresh() {
    const asked = (this.#asked += 1);
    const range = this.range();
    const span = spanOf(range === "live" ? "today" : range);
    const [whole, near] = await Promise.all([ask(span), range === "live" ? ask({ since: Date.now() - NEAR[this.near()] }) : null]);
    if (asked !== this.#asked) return;
    const total = whole.panels.find((panel) => panel.name === "overview")?.total;
    const known = whole.panels.some((panel) => panel.ranges?.span);
    const over = span.until !== undefined && span.until <= Date.now();
    const words = known ? (WORDS[range] ?? `${range.replace("..", " to ")}:`) : "Since the start";
    const told = sentence({ words, total, standing: over ? null : whole.standing, demo: this.demo() });
    if (byId("headline").textContent !== told) byId("headline").textContent = told;
    const shown = near ? whole.panels.map((panel, place) => (panel.wide ? panel : near.panels[place])) : whole.panels;
    this.#panels.show(shown, { range: known ? "span" : this.near(), words: near || !known ? `last ${this.near()}` : words.replace(/:$/, "").toLowerCase() });
    this.onIndexing(whole.indexing);
  }
}

function ask({ since, until }) {
  const asked = new URLSearchParams({ since: Math.max(0, Math.floor(since)) });
  if (until) asked.set("until", until);
  return load(`panels?${asked}`);
}
