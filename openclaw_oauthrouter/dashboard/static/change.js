// Sends changes to the gateway: with the key that this browser was given when it was let in, and never without being asked.

import { load } from "./stream.js";

const KEY = "oauthrouter-change-key";

/** Takes the key out of the address, where a one-time link has put it, before anything else reads the address. */
export function keepChangeKey() {
  const said = new URLSearchParams(location.hash.slice(1));
  const key = said.get("key");
  if (key === null) return;
  said.delete("key");
  history.replaceState(null, "", said.size ? `#${said}` : location.pathname);
  try {
    localStorage.setItem(KEY, key);
  } catch {
    held = key;
  }
}

// Where storage is forbidden the key lasts as long as the page.
let held = "";

function changeKey() {
  try {
    return localStorage.getItem(KEY) ?? held;
  } catch {
    return held;
  }
}

/** Headers of a request that changes or costs something. */
export function changeHeaders() {
  return { "content-type": "application/json", "x-oauthrouter-change-key": changeKey() };
}

/** Posts a change below /debug; the error has the gateway's words. */
export function post(path, body = {}) {
  return load(path, { method: "POST", headers: changeHeaders(), body: JSON.stringify(body) });
}
