// Keeps one Python gateway running for as long as OpenClaw runs, and lends it OpenClaw's credentials over its pipes.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline";

const READY_MS = 20_000;
const TERMINATE_MS = 3_000;
const PROBE_MS = 5_000;
const STEADY_MS = 60_000; // who ran this long begins anew with the shortest back-off
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];

export class Gateway {
  /**
   * @param {{command: string, args: string[], config: object, baseUrl: string, token: () => string | undefined,
   *   lend: (provider: string) => Promise<object>, ready: (line: object) => void,
   *   log: {info: Function, warn: Function}, health?: {reportFailure: Function, clearFailure: Function}}} options
   */
  constructor(options) {
    this.options = options;
    this.stopping = new AbortController();
  }

  /** Resolves when a gateway answers, or the first try has failed; a broken Python must not keep OpenClaw from starting. */
  start() {
    return new Promise((settled) => {
      this.loop = this.#supervise(settled);
    });
  }

  /** Ends a Python process of ours: SIGTERM, then SIGKILL. A gateway that was already there is left alone. */
  async stop() {
    this.stopping.abort();
    const { child } = this;
    child?.stdin.end();
    child?.kill("SIGTERM");
    const killer = setTimeout(() => child?.kill("SIGKILL"), TERMINATE_MS);
    await this.loop;
    clearTimeout(killer);
  }

  async #supervise(settled) {
    const { log, health } = this.options;
    for (let failures = 0; ; ) {
      while (await this.#someoneElseServes()) {
        health?.clearFailure();
        settled();
        await this.#pause(PROBE_MS);
      }
      if (this.stopping.signal.aborted) return settled();
      const began = Date.now();
      const reason = await this.#runOnce(settled);
      if (this.stopping.signal.aborted) return settled();
      failures = Date.now() - began > STEADY_MS ? 1 : failures + 1;
      log.warn(`oauthrouter: ${reason}`);
      health?.reportFailure(new Error(reason));
      settled();
      await this.#pause(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1]);
    }
  }

  async #pause(milliseconds) {
    await sleep(milliseconds, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }

  async #someoneElseServes() {
    const token = this.options.token();
    if (!token || this.stopping.signal.aborted) return false;
    const answer = await fetch(`${this.options.baseUrl}/models`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(2_000),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok ?? false;
  }

  /** One life of the Python process; resolves to why it ended. */
  #runOnce(settled) {
    const { command, args, config, log, health, ready } = this.options;
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.child = child;
    let lastWords = "";
    const late = setTimeout(() => {
      lastWords = `not ready within ${READY_MS / 1_000} s`;
      child.kill("SIGKILL");
    }, READY_MS);
    child.stdin.on("error", () => undefined); // it died; "close" tells why
    this.#send({ type: "config", config });
    createInterface({ input: child.stderr }).on("line", (line) => {
      lastWords = line;
      log.info(line);
    });
    createInterface({ input: child.stdout }).on("line", (line) =>
      this.#receive(line, (message) => {
        clearTimeout(late);
        ready(message);
        health?.clearFailure();
        log.info(`oauthrouter: ready at ${message.baseUrl} (pid ${child.pid})`);
        settled();
      }),
    );
    return new Promise((resolve) => {
      const end = (reason) => {
        clearTimeout(late);
        this.child = undefined;
        resolve(lastWords ? `${reason}; it last said: ${lastWords}` : reason);
      };
      child.once("error", (error) => end(`${command} cannot be started: ${error.message}`));
      child.once("close", (code, signal) => end(`the Python gateway ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  #receive(line, onReady) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return; // not ours
    }
    if (message.type === "ready") onReady(message);
    else if (message.method === "auth.resolve") void this.#answer(message);
  }

  async #answer({ id, provider }) {
    const answer = await this.options.lend(provider).then((result) => ({ result }), (error) => ({ error: error.message }));
    this.#send({ id, ...answer });
  }

  #send(message) {
    if (this.child?.stdin.writable) this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}
