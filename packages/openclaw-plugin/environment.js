// Makes the Python environment that the gateway runs in, in OpenClaw's state folder: it is renewed and goes with the plugin.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const HERE = fileURLToPath(new URL(".", import.meta.url));
const OLDEST = [3, 11];
const INSTALL_MS = 10 * 60_000;
const PYTHONS = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];

/**
 * The environment of this version of the plugin.
 * @param {string} stateDir OpenClaw's; the plugin's own folder is no place, for OpenClaw runs plugins from copies of theirs
 */
export function environment(stateDir) {
  const { version, oauthrouter } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
  const folder = join(stateDir, "oauthrouter", "python-environment");
  const python = process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
  const mark = join(folder, "oauthrouter-version");
  const wanted = `${oauthrouter.distribution}==${version}`;
  return {
    folder,
    python,
    isReady: () => existsSync(python) && existsSync(mark) && readFileSync(mark, "utf8") === wanted,
    /** OpenClaw tells plugins nothing of their removal; that their folder is gone is all there is to see. */
    removeIfUninstalled: () => {
      if (!existsSync(join(stateDir, "extensions", "oauthrouter"))) rmSync(folder, { recursive: true, force: true });
    },
    make: async (log) => {
      mkdirSync(join(stateDir, "oauthrouter"), { recursive: true, mode: 0o700 });
      const { create, install } = (await uvIsThere()) ? withUv : withVenv;
      if (await holdsUs(python)) {
        const failed = await install(python, wanted).then(() => undefined, (error) => error);
        if (failed) return log.warn(`oauthrouter: ${wanted} cannot be installed now, the former version goes on: ${failed.message}`);
      } else {
        rmSync(folder, { recursive: true, force: true });
        await create(folder);
        await install(python, wanted);
      }
      writeFileSync(mark, wanted);
      return log.info(`oauthrouter: ${wanted} is installed`);
    },
  };
}

async function uvIsThere() {
  return run("uv", ["--version"]).then(() => true, () => false);
}

/** Whether an environment is there that a gateway can be started from. */
async function holdsUs(python) {
  return run(python, ["-P", "-c", "import openclaw_oauthrouter"]).then(() => true, () => false);
}

const withUv = {
  // uv fetches a Python itself where there is none that is new enough.
  create: (folder) => run("uv", ["venv", "--python", `>=${OLDEST.join(".")}`, folder], { timeout: INSTALL_MS }),
  install: (python, wanted) => run("uv", ["pip", "install", "--python", python, wanted], { timeout: INSTALL_MS }),
};

const withVenv = {
  create: async (folder) => run(await newEnoughPython(), ["-m", "venv", folder], { timeout: INSTALL_MS }),
  install: (python, wanted) => run(python, ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", wanted], { timeout: INSTALL_MS }),
};

async function newEnoughPython() {
  const ask = ["-c", "import sys, venv; print(*sys.version_info[:2])"];
  for (const name of PYTHONS) {
    const answer = await run(name, ask).catch(() => undefined);
    const [major, minor] = (answer?.stdout ?? "").trim().split(" ").map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return name;
  }
  throw new Error(`no Python ${OLDEST.join(".")} or newer with venv was found; install one, or uv, and restart OpenClaw's gateway`);
}
