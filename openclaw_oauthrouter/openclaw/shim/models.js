// What the running gateway serves, as rows of OpenClaw's model catalog; the manifest's rows stand in while no gateway answers.
const FRESH_MS = 30_000;
const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }; // nothing is known: the gateway books what a request really costs
const PER_MILLION = 1_000_000;

/** Whether the gateway chooses the model itself. */
export const isAutomatic = (modelId) => /^auto(-|$)/.test(modelId ?? "");

export class Models {
  /** @param {{id: string, root: string, api: string, offered: object[], ask: (path: string) => Promise<object>}} options */
  constructor(options) {
    this.options = options;
    this.rows = new Map(options.offered.map((model) => [model.id, this.#row(model)]));
    this.live = false;
    this.askedAt = 0;
  }

  /** All rows, asked of the gateway at most twice a minute. */
  async list() {
    if (Date.now() - this.askedAt > FRESH_MS) {
      const answer = await this.options.ask("/v1/models").catch(() => undefined);
      if (Array.isArray(answer?.data) && answer.data.length) {
        this.rows = new Map(answer.data.map((entry) => [entry.id, this.#row(fromEntry(entry))]));
        this.live = true;
        this.askedAt = Date.now();
      }
    }
    return [...this.rows.values()];
  }

  /** One row; an id that is not listed is like the first automatic one, for the gateway knows more names than it lists. */
  get(modelId) {
    return this.rows.get(modelId) ?? { ...this.#row(this.options.offered[0]), id: modelId, name: modelId };
  }

  knows(modelId) {
    return this.live && this.rows.has(modelId);
  }

  #row(model) {
    const { id, root, api } = this.options;
    const claude = model.api === "anthropic-messages";
    // Messages is posted to {baseUrl}/v1/messages, the others below {baseUrl}.
    return { reasoning: false, cost: FREE, ...model, provider: id, api: model.api ?? api, baseUrl: claude ? root : `${root}/v1` };
  }
}

function fromEntry(entry) {
  const efforts = entry.reasoning_efforts ?? [];
  const price = entry.pricing;
  return {
    id: entry.id,
    name: entry.name ?? entry.id,
    // Claude's own protocol, so that cache marks and thinking reach it as OpenClaw wrote them.
    ...(entry.oauthrouter?.dialect === "anthropic_messages" ? { api: "anthropic-messages" } : {}),
    reasoning: efforts.length > 0,
    ...(efforts.length ? { compat: { supportsReasoningEffort: true, supportedReasoningEfforts: efforts } } : {}),
    input: (entry.architecture?.input_modalities ?? ["text"]).filter((kind) => kind === "text" || kind === "image"),
    contextWindow: entry.context_length ?? 200_000,
    maxTokens: entry.max_output_tokens ?? 32_000,
    ...(price ? { cost: costOf(price) } : {}),
  };
}

function costOf(price) {
  const of = (name) => Number(price[name] ?? price.prompt) * PER_MILLION;
  return { input: of("prompt"), output: of("completion"), cacheRead: of("input_cache_read"), cacheWrite: of("input_cache_write") };
}

/** The levels a row offers; a model that the gateway chooses thinks only when asked to, for most of its turns need none. */
export function thinkingProfile(row) {
  const efforts = row?.compat?.supportedReasoningEfforts;
  if (!efforts?.length || row.api === "anthropic-messages") return undefined;
  return { levels: [{ id: "off" }, ...efforts.map((id) => ({ id }))], defaultLevel: "off" };
}
