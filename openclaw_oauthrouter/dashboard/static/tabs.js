// The views beside the feed; on narrow screens the feed is one of them.

const NARROW = matchMedia("(max-width: 900px)");

/** Returns `show(name)` and `home()`, which leads back to where one started. */
export function setUpTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const show = (name) => {
    document.body.dataset.tab = name;
    for (const tab of tabs) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls"));
      if (panel.matches(".tab-panel")) panel.hidden = !chosen;
    }
  };
  const home = () => show(NARROW.matches ? "live" : "overview");
  for (const tab of tabs) {
    tab.addEventListener("click", () => show(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => step(event, tabs.filter(visible), show));
  }
  NARROW.addEventListener("change", home);
  home();
  return { show, home };
}

function step(event, tabs, show) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
  show(next.dataset.tab);
  next.focus();
}

function visible(tab) {
  return tab.offsetParent !== null;
}
