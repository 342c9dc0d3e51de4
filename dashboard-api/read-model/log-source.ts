import type { RecordedEvent } from "@servofleet/contracts";

/**
 * The log as the read side sees it: read-only, gap-free positions from 1. `@servofleet/runtime/log-reader` is the
 * real one; laws that every adapter keeps: a page is in order of position and without hole, `follow` hands over
 * every event after `after` exactly once and in order, waiting for `onBatch` before the next batch.
 */
export interface LogSource {
  /** Changes when the log is another one (restored, recreated): positions of two logs never compare. */
  readonly logId: string;
  /** Events with a position above `position`, at most `limit`, in order. */
  readAfter(position: number, limit: number): Promise<readonly RecordedEvent[]>;
  /** Every event that carries this command id, in order. */
  readCommand(commandId: string): Promise<readonly RecordedEvent[]>;
  /** Highest position whose wall time is at or before `wallUs`; 0 when there is none. */
  positionAtWall(wallUs: number): Promise<number>;
  newestPosition(): Promise<number>;
  /** Somebody waits for a position: look for new events more often for a while. */
  hurry?(): void;
  /** Runs until `signal` aborts; rejects when the log cannot be read or `onBatch` throws. */
  follow(
    after: number,
    onBatch: (events: readonly RecordedEvent[]) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Events per page and per transaction of a projection while catching up. */
export const PAGE_EVENTS = 1000;
