// Tells OpenClaw of the model provider "oauthrouter" and runs the Python gateway behind it as a service.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { embeddingProvider } from "./embeddings.js";
import { Gateway } from "./gateway.js";
import { mediaProvider } from "./media.js";
import { Models, thinkingProfile } from "./models.js";
import { routeReport, usageSnapshot } from "./status.js";
import { asRequested } from "./streams.js";

const { id, name, description, setup, modelCatalog } = JSON.parse(readFileSync(new URL("./openclaw.plugin.json", import.meta.url), "utf8"));
const offered = modelCatalog.providers[id];
const TOKEN = setup.providers[0].envVars[0];
const ASK_MS = 3_000;
const POST_MS = 60_000;
const DEFAULT_MODEL = `${id}/auto`;
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

/** Where the gateway listens, without `/v1`. */
function rootOf(settings, port) {
  const listenHost = settings.server?.listenHost ?? process.env.OAUTHROUTER_LISTEN_HOST ?? "";
  const host = REACHED_ON[listenHost] ?? listenHost;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What an error's body says, as the end of a sentence. */
async function saidIn(answer) {
  const message = await answer.json().then(({ error }) => error?.message, () => undefined);
  return message ? `: ${message}` : "";
}

function register(api) {
  const { python, configFile, ...settings } = api.pluginConfig ?? {};
  const port = Number(settings.server?.port ?? process.env.OAUTHROUTER_PORT ?? 8402);
  const root = rootOf(settings, port);
  // The gateway has to listen where OpenClaw is told to send, whatever its own configuration file says.
  const config = { ...settings, server: { ...settings.server, port } };
  const publish = (token) => token && Object.assign(process.env, { [TOKEN]: token });
  publish(localToken(config));

  const call = async (path, { headers, ...request }) => {
    const answer = await fetch(root + path, { ...request, headers: { authorization: `Bearer ${localToken(config)}`, ...headers } });
    if (!answer.ok) throw new Error(`OAuthRouter answers ${answer.status} at ${path}${await saidIn(answer)}`);
    return answer.json();
  };
  const ask = (path, body) =>
    body
      ? call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(POST_MS) })
      : call(path, { signal: AbortSignal.timeout(ASK_MS) });
  const post = (path, form, signal) => call(path, { method: "POST", body: form, signal });
  const models = new Models({ id, root, api: offered.api, offered: offered.models, ask });
  const quiet = ({ streamFn, modelId }) =>
    streamFn && modelId ? (...call) => asRequested(modelId, streamFn(...call)) : undefined;

  api.registerProvider({
    id,
    label: name,
    envVars: [TOKEN],
    auth: [
      {
        id: "local",
        label: `${name} (local gateway)`,
        hint: "Your own sign-ins and keys, the cheapest capable model for every turn",
        kind: "custom",
        run: async () => ({ profiles: [], defaultModel: DEFAULT_MODEL, notes: ["It uses what OpenClaw is signed in to; add keys with: openclaw models auth"] }),
        runNonInteractive: async ({ config: current }) => withDefaultModel(current),
      },
    ],
    catalog: {
      order: "simple",
      run: async () => ({ provider: { baseUrl: `${root}/v1`, api: offered.api, apiKey: TOKEN, models: await models.list() } }),
    },
    prepareDynamicModel: async () => void (await models.list()),
    resolveDynamicModel: ({ modelId }) => models.get(modelId),
    preferRuntimeResolvedModel: ({ modelId }) => models.knows(modelId),
    resolveThinkingProfile: ({ modelId }) => thinkingProfile(models.get(modelId)),
    isModernModelRef: () => true,
    resolveSyntheticAuth: () => {
      const apiKey = localToken(config);
      return apiKey ? { apiKey, source: "OAuthRouter's local token", mode: "api-key" } : undefined;
    },
    wrapStreamFn: quiet,
    wrapSimpleCompletionStreamFn: quiet,
    resolveUsageAuth: () => {
      const token = localToken(config);
      return token ? { token } : null;
    },
    fetchUsageSnapshot: () => usageSnapshot(id, name, ask),
  });

  api.registerEmbeddingProvider?.(embeddingProvider(id, ask));
  api.registerMediaUnderstandingProvider?.(mediaProvider(id, models, post));
  api.registerCommand?.({
    name: "route",
    description: "Why OAuthRouter chose the model of the last answers, what they cost, and what is left",
    acceptsArgs: true,
    handler: async ({ args }) => ({ text: await routeReport(ask, args).catch((error) => `OAuthRouter does not answer: ${error.message}`) }),
  });

  const gatewayOf = (command, ctx) =>
    new Gateway({
      command,
      args: ["-P", "-m", "openclaw_oauthrouter", ...(configFile ? ["--config", configFile] : []), "serve", "--host-stdio"],
      config,
      baseUrl: `${root}/v1`,
      token: () => localToken(config),
      lend: async (provider) => api.runtime.modelAuth.resolveApiKeyForProvider({ provider, cfg: ctx.config }),
      ready: (line) => publish(line.token),
      log: ctx.logger,
      health: ctx.serviceHealth,
    });

  let gateway;
  let environment;
  let stopped = false;
  const run = (command, ctx) => {
    if (stopped) return undefined;
    gateway = gatewayOf(command, ctx);
    return gateway.start();
  };
  api.registerService({
    id: `${id}-gateway`,
    start: async (ctx) => {
      stopped = false;
      environment = python ? undefined : await ownEnvironment(ctx.stateDir);
      if (!environment) return run(python ?? "python3", ctx);
      if (environment.isReady()) return run(environment.python, ctx);
      // The first start after an installation takes a minute; OpenClaw shall not wait for it.
      ctx.logger.info(`oauthrouter: making its Python environment in ${environment.folder}`);
      environment.make(ctx.logger).then(
        () => run(environment.python, ctx),
        (error) => {
          ctx.logger.warn(`oauthrouter: ${error.message}`);
          ctx.serviceHealth?.reportFailure(error);
        },
      );
      return undefined;
    },
    stop: async () => {
      stopped = true;
      await gateway?.stop();
      // An uninstallation first stops the service, then removes the plugin's folder: it can only be seen later.
      process.once("exit", () => environment?.removeIfUninstalled());
    },
  });
}

/** The package for npm brings a module that makes a Python environment; the shim within the Python package needs none. */
async function ownEnvironment(stateDir) {
  const module = await import("./environment.js").catch((error) => {
    if (error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  });
  return module?.environment(stateDir);
}

/** OpenClaw's configuration with our model as the agents' own. */
function withDefaultModel(current) {
  const defaults = current.agents?.defaults ?? {};
  const model = typeof defaults.model === "object" ? { ...defaults.model, primary: DEFAULT_MODEL } : { primary: DEFAULT_MODEL };
  return { ...current, agents: { ...current.agents, defaults: { ...defaults, model } } };
}

export default { id, name, description, register };
