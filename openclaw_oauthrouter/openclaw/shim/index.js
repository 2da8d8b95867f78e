// Tells OpenClaw of the model provider "oauthrouter" and runs the Python gateway behind it as a service.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Gateway } from "./gateway.js";

const manifest = JSON.parse(readFileSync(new URL("./openclaw.plugin.json", import.meta.url), "utf8"));
const { id, name, description } = manifest;
const offered = manifest.modelCatalog.providers[id];
const TOKEN = manifest.setup.providers[0].envVars[0];
const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }; // the gateway books what a request really costs

/** The local token: from the environment or the plugin's configuration, else the one the gateway keeps in its state folder. */
function localToken(config) {
  const home = config.home ?? process.env.OAUTHROUTER_HOME ?? join(homedir(), ".openclaw", "oauthrouter");
  const given = process.env[TOKEN] ?? config.server?.authToken;
  if (given) return given;
  try {
    return readFileSync(join(home, "local-token"), "utf8").trim() || undefined;
  } catch {
    return undefined; // not started yet: the ready line brings it
  }
}

function publishToken(token) {
  if (token) process.env[TOKEN] = token;
}

function address(config) {
  const port = config.server?.port ?? process.env.OAUTHROUTER_PORT;
  return port ? `http://127.0.0.1:${port}/v1` : offered.baseUrl;
}

function register(api) {
  const { python = "python3", ...config } = api.pluginConfig ?? {};
  const baseUrl = address(config);
  const row = (model) => ({ reasoning: false, cost: FREE, ...model, provider: id, api: offered.api, baseUrl });
  publishToken(localToken(config));

  api.registerProvider({
    id,
    label: name,
    auth: [],
    envVars: [TOKEN],
    catalog: {
      order: "simple",
      run: async () => ({ provider: { baseUrl, api: offered.api, apiKey: TOKEN, models: offered.models.map(row) } }),
    },
    resolveDynamicModel: ({ modelId }) => row({ ...offered.models[0], id: modelId, name: modelId }),
  });

  let gateway;
  api.registerService({
    id: `${id}-gateway`,
    start: async (ctx) => {
      gateway = new Gateway({
        command: python,
        args: ["-P", "-m", "openclaw_oauthrouter", "serve", "--host-stdio"],
        config,
        baseUrl,
        token: () => localToken(config),
        lend: (provider) => api.runtime.modelAuth.resolveApiKeyForProvider({ provider, cfg: ctx.config }),
        ready: (line) => publishToken(line.token),
        log: ctx.logger,
        health: ctx.serviceHealth,
      });
      await gateway.start();
    },
    stop: async () => gateway?.stop(),
  });
}

export default { id, name, description, register };
