// Stands in for OpenClaw: loads the shim, starts its service, and prints what happens as JSON lines. Commands come in on stdin.
import { createInterface } from "node:readline";

const { shim, pluginConfig, lent } = JSON.parse(process.argv[2]);
const say = (event, detail) => console.log(JSON.stringify({ event, detail }));
const registered = {};
const api = {
  pluginConfig,
  registerProvider: (provider) => (registered.provider = provider),
  registerService: (service) => (registered.service = service),
  runtime: {
    modelAuth: {
      resolveApiKeyForProvider: async ({ provider }) => {
        if (lent[provider]) return { apiKey: lent[provider], mode: "api-key" };
        throw new Error(`No API key found for provider "${provider}". Auth store: /somewhere`);
      },
    },
  },
};
const { default: plugin } = await import(shim);
plugin.register(api);
const context = {
  config: {},
  logger: { info: (line) => say("log", line), warn: (line) => say("warning", line) },
  serviceHealth: { reportFailure: (error) => say("failure", error.message), clearFailure: () => say("clear") },
};
const actions = {
  start: () => registered.service.start(context),
  stop: () => registered.service.stop(),
  catalog: async () => (await registered.provider.catalog.run({})).provider,
  dynamic: () => registered.provider.resolveDynamicModel({ modelId: "anthropic/claude-haiku-4-5" }),
  token: () => process.env.OAUTHROUTER_LOCAL_TOKEN ?? null,
};
for await (const line of createInterface({ input: process.stdin })) say(line, (await actions[line]()) ?? null);
