// openai for JavaScript.
import OpenAI from "openai";
const client = new OpenAI();
const user = (content) => ({ model: "auto", messages: [{ role: "user", content }] });
const words = async (request) => (await client.chat.completions.create(request)).choices[0].message;
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${process.env.PICTURE}` } };
const said = {
  plain: (await words(user("say hello"))).content,
  stream: (await client.responses.stream({ model: "auto", input: "say hello" }).finalResponse()).output_text,
  tools: (await words({ ...user("USE_TOOL get_weather"), tools: [{ type: "function", function: { name: "get_weather", parameters: weather } }] })).tool_calls[0].function.name,
  structured: JSON.parse((await words({ ...user("which city"), response_format: { type: "json_schema", json_schema: { name: "city", schema: weather, strict: true } } })).content).city,
  image: (await words(user([{ type: "text", text: "say hello" }, picture]))).content,
  models: (await client.models.list()).data.map(({ id }) => id),
};
const counting = await client.chat.completions.create({ ...user("COUNT_TO 3000"), stream: true });
for await (const _ of counting) break;
console.log(JSON.stringify(said));
