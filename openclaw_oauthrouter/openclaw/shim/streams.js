// Keeps the name of the model that answered out of what OpenClaw takes for a change of route: choosing is what "auto" is for.
import { isAutomatic } from "./models.js";

/** Whether an answer by this model is what was asked for; a fallback to another model stays visible where one was named. */
const isAnswerTo = (requested, answered) => isAutomatic(requested) || requested.endsWith(`/${answered}`);

/**
 * The stream, its messages saying what was asked for; /route and the dashboard say who answered.
 * @param {string} requested the model's id without OpenClaw's name for us
 */
export function asRequested(requested, stream) {
  if (typeof stream?.then === "function") return stream.then((opened) => asRequested(requested, opened));
  const clean = (message) => {
    if (message?.responseModel && isAnswerTo(requested, message.responseModel)) delete message.responseModel;
    return message;
  };
  async function* cleaned(events) {
    for await (const event of { [Symbol.asyncIterator]: () => events }) {
      for (const key of ["partial", "message", "error"]) clean(event?.[key]);
      yield event;
    }
  }
  return new Proxy(stream, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === Symbol.asyncIterator) return () => cleaned(value.call(target));
      if (name === "result") return async () => clean(await value.call(target));
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
