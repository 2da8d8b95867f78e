// What is drawn anew keeps what the user had there: focus and caret, what was typed, places scrolled to, folds opened, words marked.

const FIELDS = "input:not([type=radio]):not([type=file]), select, textarea";
const REACHED = `${FIELDS}, input[type=radio], details, summary, button, a, [tabindex], [id], [data-key]`;

const drawn = new WeakMap();
const waiting = new Map();

/** Runs `draw`, which replaces children of `box`, and puts back what was there. */
export function keepPlace(box, draw) {
  if (isMarked(box)) {
    // Whoever marks words to copy them would lose them: the drawing waits until nothing is marked.
    if (!waiting.size) document.addEventListener("selectionchange", drawWaiting);
    waiting.set(box, draw);
    return;
  }
  waiting.delete(box);
  const kept = look(box);
  draw();
  for (const field of box.querySelectorAll(FIELDS)) drawn.set(field, valueOf(field));
  restore(box, kept);
}

/** What was typed into these fields is done with: they are drawn afresh the next time. */
export function settle(box) {
  for (const field of box.querySelectorAll(FIELDS)) drawn.set(field, valueOf(field));
}

/** Whether something was typed that has not been sent. */
export function isTyped(box) {
  return [...box.querySelectorAll(FIELDS)].some((field) => drawn.has(field) && drawn.get(field) !== valueOf(field));
}

function drawWaiting() {
  for (const [box, draw] of [...waiting]) if (!isMarked(box)) keepPlace(box, draw);
  if (!waiting.size) document.removeEventListener("selectionchange", drawWaiting);
}

function isMarked(box) {
  const marked = document.getSelection();
  return Boolean(marked && !marked.isCollapsed && box.contains(marked.anchorNode) && !box.contains(document.activeElement?.closest("input, textarea")));
}

function look(box) {
  const active = box.contains(document.activeElement) ? document.activeElement : null;
  const all = [...box.querySelectorAll("*")];
  return {
    focus: active && { key: keyOf(active), caret: caretOf(active) },
    typed: [...box.querySelectorAll(FIELDS)].filter((field) => drawn.has(field) && drawn.get(field) !== valueOf(field)).map((field) => [keyOf(field), valueOf(field)]),
    folds: [...box.querySelectorAll("details")].map((fold) => [keyOf(fold), fold.open]),
    scrolled: all.filter((one) => one.scrollTop || one.scrollLeft).map((one) => [keyOf(one), one.scrollTop, one.scrollLeft]),
  };
}

function restore(box, { focus, typed, folds, scrolled }) {
  const found = new Map([...box.querySelectorAll(REACHED)].map((one) => [keyOf(one), one]));
  for (const [key, value] of typed) put(found.get(key), value);
  for (const [key, open] of folds) if (key && found.has(key)) found.get(key).open = open;
  for (const [key, top, left] of scrolled) if (key && found.has(key)) Object.assign(found.get(key), { scrollTop: top, scrollLeft: left });
  const target = focus && focus.key ? found.get(focus.key) : null;
  if (!target || document.activeElement === target) return;
  target.focus({ preventScroll: true });
  if (focus.caret && focus.caret[1] <= target.value?.length) target.setSelectionRange(...focus.caret);
}

function put(field, value) {
  if (!field || valueOf(field) === value) return;
  if (field.type === "checkbox") field.checked = value;
  else field.value = value;
  // What stands beside a choice follows it.
  if (field.localName === "select") field.dispatchEvent(new Event("change"));
}

// What tells an element apart from the others in its box, before and after.
function keyOf(element) {
  const own = element.dataset.key ?? (element.id || element.getAttribute("aria-label"));
  if (own) return `${element.localName}:${own}`;
  if (element.localName === "details") return `details:${element.querySelector("summary")?.textContent ?? ""}`;
  return ["summary", "button", "a"].includes(element.localName) ? `${element.localName}:${element.textContent}` : null;
}

function valueOf(field) {
  return field.type === "checkbox" ? field.checked : field.value;
}

function caretOf(element) {
  try {
    return typeof element.selectionStart === "number" ? [element.selectionStart, element.selectionEnd] : null;
  } catch {
    return null;
  }
}
