/** Commands of one client: sustained and burst. Stops are never counted. */
export const COMMANDS_PER_S = 500;
export const COMMANDS_BURST = 2000;
/** Clients remembered; the longest unseen is forgotten first. */
export const CLIENTS_MAX = 1000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by client. Pure: time comes in. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes one token; false when the client has none left. */
  take(client: string, nowMs: number): boolean {
    const known = this.#buckets.get(client) ?? { tokens: COMMANDS_BURST, atMs: nowMs };
    const tokens = Math.min(COMMANDS_BURST, known.tokens + ((nowMs - known.atMs) / 1000) * COMMANDS_PER_S);
    const granted = tokens >= 1;
    // Re-inserted at the end: the map's order is the order of last use.
    this.#buckets.delete(client);
    this.#buckets.set(client, { tokens: granted ? tokens - 1 : tokens, atMs: nowMs });
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > CLIENTS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
    return granted;
  }
}
