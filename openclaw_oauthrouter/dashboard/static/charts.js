// Charts over time as stacked bars; plain SVG, sized by its box.

import { h, s } from "./dom.js";
import { day, inUnit, minute } from "./format.js";

const WIDTH = 600;
const HEIGHT = 96;
const GAP = 0.28;
const DAY = 86_400;
const LONGEST_BY_CLOCK = 1.5 * DAY;
const NOW_WITHIN = 300_000;

/** A figure with bars, a legend that carries the totals, and a reading of the bar under the pointer, in all charts at once. */
export function seriesChart(panel, { range: rangeName, words }) {
  const range = panel.ranges[rangeName] ?? Object.values(panel.ranges)[0];
  const sums = range.series.map((series) => series.values.reduce((total, value) => total + value, 0));
  const top = highest(range.series);
  const reading = h("output", { class: "reading" });
  const length = range.series[0].values.length;
  const cursor = s("rect", { class: "cursor", y: 0, height: HEIGHT, width: WIDTH / range.series[0].values.length, visibility: "hidden" });
  const plot = s(
    "svg",
    { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": summary(panel, range, sums, words) },
    ...[0.25, 0.5, 0.75, 1].map((part) => s("line", { class: "grid", x1: 0, x2: WIDTH, y1: level(part), y2: level(part) })),
    s("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }),
    ...bars(range, panel.tones, top),
    cursor,
  );
  plot.addEventListener("pointermove", (event) => {
    pointAll(range, Math.min(length - 1, Math.max(0, Math.floor((event.offsetX / plot.clientWidth) * length))));
  });
  plot.addEventListener("pointerleave", () => pointAll(range, null));
  plot.point = (start, step, place) => {
    const same = place !== null && start === range.start && step === range.step;
    cursor.setAttribute("visibility", same ? "visible" : "hidden");
    if (same) cursor.setAttribute("x", (place * WIDTH) / length);
    reading.textContent = same ? readingAt(panel, range, place) : "";
  };
  const axis = h(
    "div",
    { class: "axis", "aria-hidden": "true" },
    h("span", {}, moment(range, 0)),
    h("span", {}, moment(range, length / 2)),
    h("span", {}, ends(range, length)),
  );
  const scale = h("span", { class: "scale-top", "aria-hidden": "true" }, top ? inUnit(top, panel.unit) : "");
  return h("div", { class: "chart" }, reading, scale, plot, axis, legend(panel, range, sums));
}

function level(part) {
  return HEIGHT - 1 - part * (HEIGHT - 6);
}

// One moment at a time, in all charts of the same span.
function pointAll(range, place) {
  for (const plot of document.querySelectorAll("svg.plot")) plot.point?.(range.start, range.step, place);
}

function bars(range, tones, top) {
  const length = range.series[0].values.length;
  const step = WIDTH / length;
  const drawn = [];
  for (let place = 0; place < length; place += 1) {
    let floor = HEIGHT - 1;
    range.series.forEach((series, layer) => {
      const height = top ? (series.values[place] / top) * (HEIGHT - 6) : 0;
      if (height <= 0) return;
      const tall = Math.max(height, 1.5);
      floor -= tall;
      drawn.push(s("rect", { class: `tone-${tones[layer]}`, x: place * step + (step * GAP) / 2, y: floor, width: step * (1 - GAP), height: tall }));
    });
  }
  return drawn;
}

function legend(panel, range, sums) {
  const items = range.series.map((series, layer) =>
    h("li", {}, h("span", { class: `dot tone-${panel.tones[layer]}` }), `${series.name} `, h("b", {}, inUnit(sums[layer], panel.unit))),
  );
  return h("ul", { class: "legend" }, ...items);
}

function highest(series) {
  const length = series[0].values.length;
  let top = 0;
  for (let place = 0; place < length; place += 1) top = Math.max(top, series.reduce((total, one) => total + one.values[place], 0));
  return top;
}

function readingAt(panel, range, place) {
  const at = moment(range, place);
  const parts = range.series.filter((series) => series.values[place]).map((series) => `${inUnit(series.values[place], panel.unit)} ${series.name}`);
  return `${at} · ${parts.join(", ") || "nothing"}`;
}

// A long span is told by its days.
function moment(range, place) {
  const at = (range.start + place * range.step) * 1000;
  if (range.step * range.series[0].values.length <= LONGEST_BY_CLOCK) return minute(at);
  return range.step < DAY ? `${day(at)} ${minute(at)}` : day(at);
}

function ends(range, length) {
  if (range.until === undefined || Math.abs(range.until * 1000 - Date.now()) < NOW_WITHIN) return "now";
  return moment(range, length);
}

function summary(panel, range, sums, words) {
  const parts = range.series.map((series, layer) => `${inUnit(sums[layer], panel.unit)} ${series.name}`);
  return `${panel.title}, ${words}: ${parts.join(", ")}`;
}
