// Charts over time as stacked bars; plain SVG, sized by its box.

import { h, s } from "./dom.js";
import { inUnit, minute } from "./format.js";

const WIDTH = 600;
const HEIGHT = 96;
const GAP = 0.28;

/** A figure with bars, a legend that carries the totals, and a reading of the bar under the pointer. */
export function seriesChart(panel, rangeName) {
  const range = panel.ranges[rangeName] ?? Object.values(panel.ranges)[0];
  const sums = range.series.map((series) => series.values.reduce((total, value) => total + value, 0));
  const top = highest(range.series);
  const reading = h("output", { class: "reading" });
  const plot = s(
    "svg",
    { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": summary(panel, range, sums, rangeName) },
    s("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }),
    ...bars(range, panel.tones, top),
  );
  plot.addEventListener("pointermove", (event) => {
    reading.textContent = readingAt(panel, range, Math.floor((event.offsetX / plot.clientWidth) * range.series[0].values.length));
  });
  plot.addEventListener("pointerleave", () => {
    reading.textContent = "";
  });
  const axis = h(
    "div",
    { class: "axis", "aria-hidden": "true" },
    h("span", {}, minute(range.start * 1000)),
    h("span", {}, top ? `peak ${inUnit(top, panel.unit)}` : ""),
    h("span", {}, "now"),
  );
  return h("div", { class: "chart" }, reading, plot, axis, legend(panel, range, sums));
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
  const at = minute((range.start + place * range.step) * 1000);
  const parts = range.series.filter((series) => series.values[place]).map((series) => `${inUnit(series.values[place], panel.unit)} ${series.name}`);
  return `${at} · ${parts.join(", ") || "nothing"}`;
}

function summary(panel, range, sums, rangeName) {
  const parts = range.series.map((series, layer) => `${inUnit(sums[layer], panel.unit)} ${series.name}`);
  return `${panel.title}, last ${rangeName}: ${parts.join(", ")}`;
}
