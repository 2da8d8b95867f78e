// The pages of the dashboard: requests, conversations, models, compare, settings; a page's script is loaded when it is first shown.

import { byId } from "./dom.js";

/** Returns `show(name)`; `changed` is told the name whenever another page is shown. */
export function setUpViews(loaders, changed) {
  const links = [...document.querySelectorAll("[data-view]")].filter((element) => element.matches("nav *"));
  const pages = new Map();
  const show = async (name) => {
    const chosen = name in loaders || name === "requests" ? name : "requests";
    document.body.dataset.view = chosen;
    for (const link of links) {
      if (link.dataset.view === chosen) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    byId("requests").hidden = chosen !== "requests";
    for (const page of document.querySelectorAll(".page")) page.hidden = page.id !== `page-${chosen}`;
    changed(chosen);
    if (chosen === "requests") return;
    if (!pages.has(chosen)) pages.set(chosen, loaders[chosen](byId(`page-${chosen}`)));
    (await pages.get(chosen)).refresh();
  };
  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      show(link.dataset.view);
    });
  }
  const refresh = async () => {
    const shown = pages.get(document.body.dataset.view);
    if (shown) await (await shown).refresh({ again: true });
  };
  return { show, refresh };
}
