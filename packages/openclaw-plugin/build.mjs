// Before packing: brings the plugin's files from the Python package, which has them once, and its version.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const shim = join(here, "..", "..", "openclaw_oauthrouter", "openclaw", "shim");
for (const name of readdirSync(shim)) if (name !== "package.json") copyFileSync(join(shim, name), join(here, name));

const { version } = JSON.parse(readFileSync(join(shim, "package.json"), "utf8"));
const file = join(here, "package.json");
const manifest = JSON.parse(readFileSync(file, "utf8"));
if (manifest.version !== version) writeFileSync(file, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
