// Pictures and speech that OpenClaw looks at before the agent does: pictures by a model of ours, speech by whichever provider can transcribe.
const DEFAULT_IMAGE_MODEL = "auto";
const LAST = 90; // behind every vendor that the user has set up in OpenClaw itself
const TRANSCRIBERS = [
  ["openai", "gpt-4o-mini-transcribe"],
  ["groq", "whisper-large-v3-turbo"],
  ["mistral", "voxtral-mini-latest"],
];

/**
 * Pictures need no code: OpenClaw sends them to a row of ours as it sends any message.
 * @param {{list: () => Promise<object[]>}} models the running gateway's
 * @param {(path: string, form: FormData, signal: AbortSignal) => Promise<object>} post to the gateway
 */
export function mediaProvider(id, models, post) {
  return {
    id,
    capabilities: ["image", "audio"],
    defaultModels: { image: DEFAULT_IMAGE_MODEL },
    autoPriority: { image: LAST, audio: LAST },
    transcribeAudioWithContext: async (request) => {
      const model = request.model ? named(id, request.model) : await transcriber(models);
      // Told before anything is sent: OpenClaw then asks the next of its own.
      if (!model) return { ok: false, error: new Error("OAuthRouter has no provider that transcribes") };
      const form = new FormData();
      form.set("model", model);
      form.set("file", new Blob([request.buffer], { type: request.mime ?? "application/octet-stream" }), request.fileName);
      for (const [name, value] of Object.entries({ language: request.language, prompt: request.prompt, ...request.query }))
        if (value !== undefined) form.set(name, String(value));
      const limits = [AbortSignal.timeout(request.timeoutMs), ...(request.signal ? [request.signal] : [])];
      const { text } = await post("/v1/audio/transcriptions", form, AbortSignal.any(limits));
      if (typeof text !== "string") throw new Error(`${model} answered without a text`);
      return { ok: true, value: { text, model } };
    },
  };
}

const named = (id, model) => (model.startsWith(`${id}/`) ? model.slice(id.length + 1) : model);

async function transcriber(models) {
  const rows = await models.list();
  const able = TRANSCRIBERS.find(([provider]) => rows.some((row) => row.id.startsWith(`${provider}/`)));
  return able?.join("/");
}
