// Embeddings for OpenClaw's memory search, by whichever provider the gateway has for the model.
const DEFAULT_MODEL = "openai/text-embedding-3-small";

const textOf = (input) => (typeof input === "string" ? input : input.text);

/** @param {(path: string, body: object) => Promise<object>} ask the gateway */
export function embeddingProvider(id, ask) {
  const named = (model) => (model ? model.replace(new RegExp(`^${id}/`), "") : DEFAULT_MODEL);
  return {
    id,
    defaultModel: DEFAULT_MODEL,
    transport: "remote",
    authProviderId: id,
    normalizeModel: ({ model }) => named(model),
    create: async (options) => {
      const model = named(options.model);
      const embedBatch = async (inputs) => {
        const { data } = await ask("/v1/embeddings", { model, input: inputs.map(textOf), encoding_format: "float" });
        return [...data].sort((first, second) => first.index - second.index).map(({ embedding }) => embedding);
      };
      return { provider: { id, model, embedBatch, embed: async (input) => (await embedBatch([input]))[0] } };
    },
  };
}
