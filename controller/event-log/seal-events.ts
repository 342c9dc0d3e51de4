import type { RecordedEvent } from "@servofleet/contracts";
import { canonicalRow, chainHash } from "@servofleet/runtime/log-schema";
import { eventVersion } from "@servofleet/runtime/log-upcast";
import type { PreparedEvent } from "./prepared-event.ts";

/** The newest row: where the chain goes on. */
export interface LogHead {
  readonly position: number;
  readonly hash: string;
}

/** What the writer adds to the events of one commit. */
export interface Seal {
  readonly head: LogHead;
  readonly epoch: number;
  readonly boot: string;
  readonly wallUs: number;
  readonly monoNs: string;
  /** Newest version of a stream, 0 when it has none. */
  readonly versionOf: (stream: string) => number;
  readonly newId: () => string;
}

export interface Sealed {
  readonly events: readonly RecordedEvent[];
  readonly head: LogHead;
  /** The newest version of every stream that was touched. */
  readonly versions: ReadonlyMap<string, number>;
  /** JSON for the insert statement: one array per row, the hash last. */
  readonly payload: string;
}

/** Gives events their place: position, version, times, epoch, hash. Pure apart from `newId`. */
export function sealEvents(prepared: readonly PreparedEvent[], seal: Seal): Sealed {
  let head = seal.head;
  const versions = new Map<string, number>();
  const rows: string[] = [];
  const events = prepared.map((given): RecordedEvent => {
    const version = (versions.get(given.stream) ?? seal.versionOf(given.stream)) + 1;
    versions.set(given.stream, version);
    const id = given.id ?? seal.newId();
    const row = {
      position: head.position + 1,
      stream: given.stream,
      version,
      id,
      type: given.event.type,
      schema: eventVersion(given.event.type),
      wallUs: seal.wallUs,
      monoNs: seal.monoNs,
      boot: seal.boot,
      epoch: seal.epoch,
      commandId: given.commandId ?? null,
      correlationId: given.correlationId ?? given.commandId ?? id,
      causationId: given.causationId ?? null,
      actor: given.actor ?? null,
      traceparent: given.traceparent ?? null,
    };
    const canonical = canonicalRow({ ...row, data: given.dataText });
    const hash = chainHash(head.hash, canonical);
    head = { position: row.position, hash };
    rows.push(`${canonical.slice(0, -1)},"${hash}"]`);
    return { ...row, data: given.event.data, hash };
  });
  return { events, head, versions, payload: `[${rows.join(",")}]` };
}
