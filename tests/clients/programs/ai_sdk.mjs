// The AI SDK, through Responses.
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, jsonSchema, streamText, tool } from "ai";
const model = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL })("auto");
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const get_weather = tool({ description: "the weather", inputSchema: jsonSchema(weather), execute: async ({ city }) => `7 degrees in ${city}` });
const picture = { type: "file", mediaType: "image/png", data: process.env.PICTURE };
const called = await generateText({ model, prompt: "USE_TOOL get_weather", tools: { get_weather } });
const said = {
  plain: (await generateText({ model, prompt: "say hello" })).text,
  stream: await streamText({ model, prompt: "say hello" }).text,
  tools: called.toolCalls[0].toolName,
  structured: (await generateObject({ model, prompt: "which city", schema: jsonSchema(weather) })).object.city,
  image: (await generateText({ model, messages: [{ role: "user", content: [{ type: "text", text: "say hello" }, picture] }] })).text,
};
const stop = new AbortController();
for await (const _ of streamText({ model, prompt: "COUNT_TO 3000", abortSignal: stop.signal, onError: () => {} }).textStream) break;
stop.abort();
console.log(JSON.stringify(said));
