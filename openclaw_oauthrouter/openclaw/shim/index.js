// Tells OpenClaw of the model provider "oauthrouter" and runs the Python gateway behind it as a service.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Gateway } from "./gateway.js";

const { id, name, description, setup, modelCatalog } = JSON.parse(readFileSync(new URL("./openclaw.plugin.json", import.meta.url), "utf8"));
const offered = modelCatalog.providers[id];
const TOKEN = setup.providers[0].envVars[0];
const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }; // the gateway books what a request really costs
const REACHED_ON = { "0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1" };

/** The local token: from the environment or the plugin's configuration, else the one the gateway keeps in its state folder. */
function localToken(config) {
  const given = process.env[TOKEN] ?? config.server?.authToken;
  const home = config.home ?? process.env.OAUTHROUTER_HOME ?? join(homedir(), ".openclaw", "oauthrouter");
  try {
    return given || readFileSync(join(home, "local-token"), "utf8").trim() || undefined;
  } catch {
    return undefined; // not started yet: the ready line brings it
  }
}

function register(api) {
  const { python = "python3", configFile, ...settings } = api.pluginConfig ?? {};
  const port = Number(settings.server?.port ?? process.env.OAUTHROUTER_PORT ?? 8402);
  const listenHost = settings.server?.listenHost ?? process.env.OAUTHROUTER_LISTEN_HOST ?? "";
  const host = REACHED_ON[listenHost] ?? listenHost;
  const baseUrl = `http://${host.includes(":") ? `[${host}]` : host}:${port}/v1`;
  // The gateway has to listen where OpenClaw is told to send, whatever its own configuration file says.
  const config = { ...settings, server: { ...settings.server, port } };
  const row = (model) => ({ reasoning: false, cost: FREE, ...model, provider: id, api: offered.api, baseUrl });
  const publish = (token) => token && Object.assign(process.env, { [TOKEN]: token });
  publish(localToken(config));

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
    start: (ctx) => {
      gateway = new Gateway({
        command: python,
        args: ["-P", "-m", "openclaw_oauthrouter", ...(configFile ? ["--config", configFile] : []), "serve", "--host-stdio"],
        config,
        baseUrl,
        token: () => localToken(config),
        lend: async (provider) => api.runtime.modelAuth.resolveApiKeyForProvider({ provider, cfg: ctx.config }),
        ready: (line) => publish(line.token),
        log: ctx.logger,
        health: ctx.serviceHealth,
      });
      return gateway.start();
    },
    stop: () => gateway?.stop(),
  });
}

export default { id, name, description, register };
