// Builds elements; text only ever becomes text nodes, so nothing a client sent can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: h("button", {class: "quiet", onclick: f}, "Pause"). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** The element of an id that the page is known to have. */
export function byId(id) {
  return document.getElementById(id);
}

/** A small stroke icon; hidden from screen readers, since words stand beside it. */
export function icon(name) {
  const paths = {
    arrow: ["M4 8h8", "M9 5l3 3-3 3"],
    check: ["M3.5 8.5l3 3 6-7"],
    copy: ["M6 6h7v7H6z", "M10 6V3H3v7h3"],
    cross: ["M4 4l8 8", "M12 4l-8 8"],
    warn: ["M8 2.5l6 11H2z", "M8 7v3", "M8 12v.2"],
    skip: ["M8 2.5a5.5 5.5 0 1 0 .01 0z", "M4.5 4.5l7 7"],
  };
  const drawn = paths[name].map((d) => s("path", { d }));
  return s("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, ...drawn);
}
