/** A service is given up after this many failures in a row. */
export const FAILURES_TO_OPEN = 3;
export const OPEN_MIN_MS = 200;
export const OPEN_MAX_MS = 2000;

/**
 * Circuit breaker towards one service. Pure: time comes in. Open means that callers get their 503 at once instead of
 * waiting on a service that hangs; after a growing pause exactly one request is let through to find out.
 */
export class CircuitBreaker {
  #failures = 0;
  #openUntilMs = 0;
  #openForMs = OPEN_MIN_MS;
  #probing = false;

  /** Whether a request may go now; `true` from an open breaker makes the caller the one probe. */
  admits(nowMs: number): boolean {
    if (this.#failures < FAILURES_TO_OPEN) return true;
    if (this.#probing || nowMs < this.#openUntilMs) return false;
    this.#probing = true;
    return true;
  }

  /** The service answered (whatever the status: an answer is life). */
  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
    this.#openForMs = OPEN_MIN_MS;
  }

  /** The service could not be reached or did not answer in time. */
  failed(nowMs: number): void {
    this.#failures += 1;
    if (this.#failures < FAILURES_TO_OPEN) return;
    this.#openUntilMs = nowMs + this.#openForMs;
    this.#openForMs = Math.min(this.#openForMs * 2, OPEN_MAX_MS);
    this.#probing = false;
  }

  /** Milliseconds until the next try, at least 0. */
  retryAfterMs(nowMs: number): number {
    return Math.max(0, this.#openUntilMs - nowMs);
  }
}
