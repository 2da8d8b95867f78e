// @anthropic-ai/sdk.
import Anthropic from "@anthropic-ai/sdk";
const client = new Anthropic();
const user = (content) => ({ model: "auto", max_tokens: 8000, messages: [{ role: "user", content }] });
const text = (message) => message.content.find(({ type }) => type === "text").text;
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const source = { type: "base64", media_type: "image/png", data: process.env.PICTURE };
const called = await client.messages.create({ ...user("USE_TOOL get_weather"), tools: [{ name: "get_weather", input_schema: weather }] });
const models = [];
for await (const { id } of client.models.list()) models.push(id);
const said = {
  plain: text(await client.messages.create(user("say hello"))),
  stream: await client.messages.stream(user("say hello")).finalText(),
  tools: called.content.find(({ type }) => type === "tool_use").name,
  structured: JSON.parse(text(await client.messages.create({ ...user("which city"), output_config: { format: { type: "json_schema", schema: weather } } }))).city,
  image: text(await client.messages.create(user([{ type: "text", text: "say hello" }, { type: "image", source }]))),
  models,
};
const counting = client.messages.stream(user("COUNT_TO 3000"));
for await (const event of counting) if (event.type === "content_block_delta") break;
counting.abort();
console.log(JSON.stringify(said));
