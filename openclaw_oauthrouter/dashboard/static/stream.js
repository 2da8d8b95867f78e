// The live stream: reconnects by itself, resumes where it broke off, and says how it stands.

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

/** States told to `onState`: "connecting", "live", "waiting" (with seconds to the next try), "signed-out". */
export class LiveStream {
  #source = null;
  #lastEventId = "";
  #wait = FIRST_WAIT;
  #timer = 0;

  constructor({ onEvents, onState }) {
    this.onEvents = onEvents;
    this.onState = onState;
    this.state = "connecting";
  }

  /** Loads what the gateway still holds, then follows. */
  async connect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#tell("connecting");
    try {
      if (!this.#lastEventId) await this.#loadHistory();
    } catch (error) {
      this.#failed(error.signedOut);
      return;
    }
    this.#follow();
  }

  /** Somebody noticed that the gateway does not answer. */
  suspect() {
    if (this.state === "live") this.#failed(false);
  }

  async #loadHistory() {
    const answer = await load("routing-trace?n=5000");
    this.onEvents(answer.events, true);
    this.#lastEventId = answer.lastEventId ?? "";
  }

  #follow() {
    const source = new EventSource(`routing-trace/stream?lastEventId=${encodeURIComponent(this.#lastEventId)}`);
    this.#source = source;
    source.addEventListener("hello", () => {
      this.#wait = FIRST_WAIT;
      this.#tell("live");
    });
    source.addEventListener("message", (message) => {
      this.#lastEventId = message.lastEventId;
      this.onEvents([JSON.parse(message.data)], false);
    });
    source.addEventListener("error", () => this.#failed(false));
  }

  async #failed(signedOut) {
    this.#source?.close();
    if (signedOut || (await isSignedOut())) this.#tell("signed-out");
    else this.#tell("waiting", this.#wait / 1000);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #tell(state, seconds) {
    this.state = state;
    this.onState(state, seconds);
  }
}

/** A JSON answer of the gateway; the error knows whether we are signed out. */
export async function load(path, options = {}) {
  const response = await fetch(path, { signal: AbortSignal.timeout(20_000), ...options });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const said = answer?.error?.message ?? answer?.error ?? `the gateway answered ${response.status}`;
  throw Object.assign(new Error(said), { signedOut: response.status === 401, status: response.status });
}

async function isSignedOut() {
  try {
    await load("routing-trace?n=1");
    return false;
  } catch (error) {
    return Boolean(error.signedOut);
  }
}
