/** A read that takes longer is given up: it must not hold one of the browser's few connections to the box. */
const READ_LIMIT_MS = 3000;

/** What the server said no with (RFC 9457). */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{title: string, detail: string, remedy: string}} problem
   */
  constructor(status, { title, detail, remedy }) {
    super(`${title}: ${detail}. What to do: ${remedy}.`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.remedy = remedy;
  }
}

/**
 * The box as this page speaks to it. A browser opens six connections to one host and no more, over all its tabs:
 * reads that hang can be given up at once, so that a stop never waits behind them.
 */
export class Box {
  #reads = new AbortController();

  /**
   * @param {string} path
   * @returns {Promise<any>}
   */
  async read(path) {
    const signal = AbortSignal.any([this.#reads.signal, AbortSignal.timeout(READ_LIMIT_MS)]);
    return answer(await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store", signal }));
  }

  /** Where the log ends now: every read says so in a header.
   * @returns {Promise<{log: string, number: number}>} */
  async newestPosition() {
    const signal = AbortSignal.any([this.#reads.signal, AbortSignal.timeout(READ_LIMIT_MS)]);
    const response = await fetch("/v1/axes?limit=1", { cache: "no-store", signal });
    await answer(response);
    const [log = "", number = "0"] = (response.headers.get("X-Position") ?? "").split(".");
    return { log, number: Number(number) };
  }

  giveUpReads() {
    this.#reads.abort();
    this.#reads = new AbortController();
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {"POST" | "PUT"} method
   * @returns {Promise<any>}
   */
  async write(path, body, method = "POST") {
    const headers = { "Content-Type": "application/json" };
    return answer(await fetch(path, { method, headers, body: JSON.stringify(body) }));
  }

  /** Ends what a path stands for, also when the page is closed meanwhile.
   * @param {string} path */
  async end(path) {
    await fetch(path, { method: "DELETE", keepalive: true });
  }

  /** Goes out before anything else, also when the page is closed meanwhile.
   * @param {string} path
   * @param {number} limitMs
   * @returns {Promise<import("@servofleet/contracts").StopView>} */
  async stop(path, limitMs) {
    this.giveUpReads();
    return answer(
      await fetch(path, { method: "POST", priority: "high", keepalive: true, signal: AbortSignal.timeout(limitMs) }),
    );
  }
}

/** @param {Response} response */
async function answer(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new Refused(response.status, {
    title: body?.title ?? `HTTP ${response.status}`,
    detail: body?.detail ?? "the answer could not be read",
    remedy: body?.remedy ?? "try again",
  });
}

/** @param {unknown} error */
export const words = (error) => (error instanceof Refused ? error.message : "The box does not answer.");
