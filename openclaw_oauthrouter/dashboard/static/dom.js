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
    chevron: ["M6 4l4 4-4 4"],
    check: ["M3.5 8.5l3 3 6-7"],
    copy: ["M6 6h7v7H6z", "M10 6V3H3v7h3"],
    cross: ["M4 4l8 8", "M12 4l-8 8"],
    warn: ["M8 2.5l6 11H2z", "M8 7v3", "M8 12v.2"],
    sun: ["M8 5a3 3 0 1 0 .01 0z", "M8 1.5v1.2", "M8 13.3v1.2", "M1.5 8h1.2", "M13.3 8h1.2", "M3.4 3.4l.9.9", "M11.7 11.7l.9.9", "M12.6 3.4l-.9.9", "M4.3 11.7l-.9.9"],
    moon: ["M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z"],
    system: ["M2 3.5h12v7.5H2z", "M6 13.5h4"],
    grip: ["M6 4.5v.01", "M10 4.5v.01", "M6 8v.01", "M10 8v.01", "M6 11.5v.01", "M10 11.5v.01"],
    plus: ["M8 3.5v9", "M3.5 8h9"],
    image: ["M2.5 3.5h11v9h-11z", "M3 11l3-3 2.5 2.5L11 8l2.5 2.5", "M6 6v.01"],
    file: ["M4 2h5l3 3v9H4z", "M9 2v3h3"],
    tool: ["M10 2.5a3 3 0 0 0-2.8 4L2.5 11.2l2.3 2.3 4.7-4.7a3 3 0 0 0 4-3.6l-2 2-1.8-.5-.5-1.8 2-2a3 3 0 0 0-1.2-.4z"],
    thought: ["M8 2a4.3 4.3 0 0 0-2.3 7.9V12h4.6V9.9A4.3 4.3 0 0 0 8 2z", "M6.2 14h3.6"],
    skip: ["M8 2.5a5.5 5.5 0 1 0 .01 0z", "M4.5 4.5l7 7"],
  };
  const drawn = paths[name].map((d) => s("path", { d }));
  return s("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, ...drawn);
}
