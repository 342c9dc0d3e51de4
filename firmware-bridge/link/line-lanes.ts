import type { LanePiece } from "../modbus/mbap-lanes.ts";
import type { Exchange } from "./exchange.ts";
import type { Job } from "./line-job.ts";
import type { LineTurn } from "./line-turn.ts";

/** One place for a request on the way. */
export interface Lane {
  readonly exchange: Exchange;
  readonly turn: LineTurn;
}

/** The requests that a line can have on the way at once: one on a half-duplex line, more only where answers carry ids. */
export class LineLanes {
  readonly #lanes: readonly Lane[];
  readonly #route: (bytes: Uint8Array) => readonly LanePiece[];
  readonly #resetRoute: () => void;

  constructor(
    lanes: readonly Lane[],
    router: { route(bytes: Uint8Array): readonly LanePiece[]; reset(): void } | undefined,
  ) {
    this.#lanes = lanes;
    this.#route = (bytes) => router?.route(bytes) ?? [{ lane: 0, bytes }];
    this.#resetRoute = () => router?.reset();
  }

  free(): Lane | undefined {
    return this.#lanes.find(({ exchange }) => !exchange.busy);
  }

  /** Any lane: for what concerns the line as a whole. */
  get first(): Lane {
    return this.#lanes[0] as Lane;
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    for (const piece of this.#route(bytes)) this.#lanes[piece.lane]?.exchange.bytes(piece.bytes);
  }

  collect(): void {
    for (const { exchange } of this.#lanes) exchange.collect();
  }

  lost(reason: string): void {
    this.#resetRoute();
    for (const { turn } of this.#lanes) turn.lost(reason);
  }

  /** Monotonic ms of the last byte on the line. */
  get lastByteMs(): number {
    return Math.max(...this.#lanes.map(({ exchange }) => exchange.lastByteMs));
  }

  /**
   * Whether the job may go beside what is under way: reads beside reads, but a write never beside anything of its own
   * unit. A server may serve two requests in any order, and no motion may follow a stop.
   */
  mayJoin(job: Pick<Job, "unit" | "request">): boolean {
    return this.#lanes.every(({ turn }) => {
      const other = turn.job;
      return !other || other.unit !== job.unit || (other.request.fn === "read" && job.request.fn === "read");
    });
  }
}
