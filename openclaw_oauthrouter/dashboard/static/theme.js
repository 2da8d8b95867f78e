// Light, dark, or as the system says; remembered in this browser.

import { icon } from "./dom.js";

const KEY = "oauthrouter-theme";
const DRAWN = { system: "system", light: "sun", dark: "moon" };
const NEXT = { system: "light", light: "dark", dark: "system" };

export function setUpTheme(button) {
  let theme = remembered();
  const show = () => {
    document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(DRAWN[theme]));
    button.setAttribute("aria-label", `Theme: ${theme}`);
    button.title = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    remember(theme);
    show();
  });
  show();
}

// Storage may be forbidden; the choice then lasts as long as the page.
function remembered() {
  try {
    const theme = localStorage.getItem(KEY);
    return theme in NEXT ? theme : "system";
  } catch {
    return "system";
  }
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    return;
  }
}
