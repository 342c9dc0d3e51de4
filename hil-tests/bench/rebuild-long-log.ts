import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DomainEvent, FleetConfig } from "@servofleet/contracts";
import { canonicalRow, chainHash, genesisHash, LOG_FILE, LOG_FORMAT, LOG_TABLES } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { storyOfMove } from "./append-events.ts";
import { INSERT_ROWS } from "./raw-append.ts";

const AXES = 32;
const ROWS_PER_COMMIT = 2000;
/** 2026-01-01T00:00:00Z, and from there one event every 20 ms. */
const START_US = 1_767_225_600_000_000;
const EVENT_US = 20_000;
/** Every so many moves a drive faults and is cleared, and every so many faults somebody acknowledges one late. */
const FAULT_EVERY = 40;

/** Ids that grow, as the writer gives them (UUID v7): random ones would keep the index of ids busy and nothing else. */
const idOf = (n: number): string => {
  const hex = n.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
};

const axisId = (n: number): string => `a${n % AXES}`;
/** Wall time of a position of such a log, microseconds. */
export const wallOfPosition = (position: number): number => START_US + position * EVENT_US;

/** A fleet as big as the log tells of. */
export function longFleet(data: string): FleetConfig {
  const axes = Array.from({ length: AXES }, (_, n) => ({
    id: axisId(n),
    link: "line_a",
    unit: n + 1,
    profile: "leadshine-icl-rs",
    unitName: "mm",
    countsPerUnit: 100,
    limits: { min: 0, max: 800, velocity: 500, acceleration: 5000, torque: 80 },
    homing: { required: false },
    poll: { movingMs: 20, idleMs: 200 },
  }));
  const links = [{ id: "line_a", kind: "modbus-rtu", port: "/dev/ttyUSB0", baud: 115200, parity: "even", stopBits: 1 }];
  return { box: "bench", data, links, axes, groups: [] } as unknown as FleetConfig;
}

/** Events of one move with the states it leaves, and now and then a fault around it. */
function storyOf(move: number, commandId: string): DomainEvent[] {
  const state = { stopLatched: false, homed: true, enabled: true, reconcileRequired: false };
  const target = move % 800;
  const moving = { state: "discrete-motion", ...state, currentCommand: commandId, position: 0 } as const;
  const rest = { state: "standstill", ...state, currentCommand: null, position: target } as const;
  const fault = { fault: { code: "0x0E0", name: "Over current", remedy: "check the motor cable" } };
  return [
    ...storyOfMove(target),
    { type: "AxisStateChanged", data: moving },
    { type: "AxisStateChanged", data: rest },
    ...(move % FAULT_EVERY === 0
      ? ([
          { type: "FaultRaised", data: fault },
          { type: "FaultCleared", data: fault },
        ] as DomainEvent[])
      : []),
  ];
}

function* longStory(config: FleetConfig): Generator<{ stream: string; event: DomainEvent; commandId: string | null }> {
  yield { stream: "box-bench", event: { type: "FleetConfigured", data: { config } }, commandId: null };
  for (let move = 0; ; move++) {
    const commandId = idOf(2 * move);
    for (const event of storyOf(move, commandId)) yield { stream: `axis-${axisId(move)}`, event, commandId };
  }
}

/** Makes `<directory>/events.db`, a whole log with its real hash chain, as fast as the disk takes it. Synced once at the end. */
export async function writeLongLog(
  directory: string,
  events: number,
  progress: (position: number) => void = () => undefined,
): Promise<string> {
  const file = join(directory, LOG_FILE);
  const logId = "bench";
  const boot = randomUUID();
  const versions = new Map<string, number>();
  const database = await SqliteDatabase.open(file);
  try {
    await database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; ${LOG_TABLES};
      INSERT INTO log_meta VALUES (1, '${logId}', 1, ${LOG_FORMAT});`);
    let previous = genesisHash(logId);
    let batch: string[] = [];
    let position = 0;
    let inserted: Promise<unknown> = Promise.resolve();
    for (const { stream, event, commandId } of longStory(longFleet(directory))) {
      position++;
      const version = (versions.get(stream) ?? 0) + 1;
      versions.set(stream, version);
      const id = event.type === "MoveAccepted" && commandId ? commandId : idOf(2 * position + 1);
      const row = canonicalRow({
        position,
        stream,
        version,
        id,
        type: event.type,
        schema: 1,
        wallUs: wallOfPosition(position),
        monoNs: String(position),
        boot,
        epoch: 1,
        commandId,
        correlationId: commandId ?? id,
        causationId: null,
        actor: "local",
        traceparent: null,
        data: JSON.stringify(event.data),
      });
      previous = chainHash(previous, row);
      batch.push(`${row.slice(0, -1)},"${previous}"]`);
      if (batch.length < ROWS_PER_COMMIT && position < events) continue;
      // One commit runs while the rows of the next are made.
      await inserted;
      inserted = database.run(INSERT_ROWS, [`[${batch.join(",")}]`]);
      batch = [];
      progress(position);
      if (position >= events) break;
    }
    await inserted;
    await database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    await database.close();
  }
  return file;
}
