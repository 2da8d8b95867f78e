// Why a tier was chosen: the score, what lifted it, and each dimension's say.

import { h } from "./dom.js";
import { tier } from "./rows.js";

/** The explanation of one classification, for a finished request and for one that is only tried out. */
export function why({ tierName, confidence, method, score, reasoning, floors = [], dimensions = [] }) {
  const facts = [method ? `by ${method}` : null, score === undefined ? null : `score ${score.toFixed(2)}`].filter(Boolean).join(" · ");
  return [
    h("p", { class: "verdict" }, tierName ? tier(tierName, confidence) : "The client chose the model itself.", h("span", { class: "quiet" }, facts)),
    reasoning ? h("p", { class: "reasoning" }, reasoning) : null,
    floors.length ? h("ul", { class: "floors" }, ...floors.map((floor) => h("li", {}, floor))) : null,
    dimensions.length ? dimensionBars(dimensions) : null,
  ];
}

function dimensionBars(dimensions) {
  const weighed = dimensions.map((dimension) => ({ ...dimension, say: dimension.score * dimension.weight }));
  weighed.sort((a, b) => Math.abs(b.say) - Math.abs(a.say));
  const top = Math.abs(weighed[0].say) || 1;
  const speaking = weighed.filter((dimension) => dimension.say !== 0);
  const silent = weighed.length - speaking.length;
  return h(
    "div",
    { class: "dimensions" },
    h("p", { class: "scale", "aria-hidden": "true" }, h("span", {}, "simpler"), h("span", {}, "harder")),
    h("ul", {}, ...speaking.map((dimension) => dimensionBar(dimension, top))),
    silent ? h("p", { class: "quiet" }, `${silent} ${silent === 1 ? "dimension" : "dimensions"} found nothing.`) : null,
  );
}

function dimensionBar({ name, say, weight, signal }, top) {
  const width = `${(Math.abs(say) / top) * 50}%`;
  const style = say < 0 ? { width, right: "50%" } : { width, left: "50%" };
  return h(
    "li",
    { title: `weight ${weight}` },
    h("span", { class: "label" }, readable(name)),
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: say < 0 ? "bar simpler" : "bar harder", style })),
    h("span", { class: "say" }, (say > 0 ? "+" : "−") + Math.abs(say).toFixed(3)),
    signal ? h("span", { class: "signal quiet" }, signal) : null,
  );
}

function readable(name) {
  return name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/_/g, " ").toLowerCase();
}
