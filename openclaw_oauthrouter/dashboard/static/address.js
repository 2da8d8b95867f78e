// The page's address holds what is looked at, so that it can be kept and shared: filter, range, request.

/** What the address says: `{view, q, range, request, problems, substituted}`. */
export function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  return {
    view: said.get("view") ?? "requests",
    q: said.get("q") ?? "",
    range: said.get("range") ?? "live",
    request: said.get("request"),
    problems: said.has("problems"),
    substituted: said.has("rerouted"),
  };
}

/** Writes it without adding to the browser's history. */
export function writeAddress({ view, q, range, request, problems, substituted }) {
  const said = new URLSearchParams();
  if (view !== "requests") said.set("view", view);
  if (q) said.set("q", q);
  if (range !== "live") said.set("range", range);
  if (problems) said.set("problems", "");
  if (substituted) said.set("rerouted", "");
  if (request) said.set("request", request);
  const hash = said.size ? `#${said}` : location.pathname;
  history.replaceState(null, "", hash);
}
