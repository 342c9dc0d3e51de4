import type { Waiter } from "./commit-queue.ts";
import { type ExpectedVersion, LogError } from "./event-log.ts";
import { repeatedId } from "./prepared-event.ts";

/** The log as the calls of one commit meet it. */
export interface LogBefore {
  /** Ids that it holds. */
  readonly ids: { has(id: string): boolean };
  /** Newest version of a stream, 0 when it has none. */
  readonly versionOf: (stream: string) => number;
}

/**
 * The calls of a commit that must be left out, and why: an id that is known, or a stream that is not where the caller
 * thought. Each call meets what those before it leave. Pure.
 */
export function refusedCalls(waiters: readonly Waiter[], before: LogBefore): ReadonlyMap<Waiter, LogError> {
  const added = new Set<string>();
  const ids = { has: (id: string) => added.has(id) || before.ids.has(id) };
  const versions = new Map<string, number>();
  const versionOf = (stream: string): number => versions.get(stream) ?? before.versionOf(stream);
  const refused = new Map<Waiter, LogError>();
  for (const waiter of waiters) {
    const repeated = repeatedId(waiter.prepared, ids);
    const refusal = repeated === undefined ? conflict(waiter, versionOf) : duplicate(repeated);
    if (refusal) {
      refused.set(waiter, refusal);
      continue;
    }
    for (const { id, stream } of waiter.prepared) {
      if (id !== undefined) added.add(id);
      versions.set(stream, versionOf(stream) + 1);
    }
  }
  return refused;
}

function conflict({ expected }: Waiter, versionOf: (stream: string) => number): LogError | undefined {
  for (const [stream, wanted] of Object.entries(expected ?? {})) {
    const version = versionOf(stream);
    if (!agrees(wanted, version))
      return new LogError(
        "version-conflict",
        { stream, expected: wanted, version },
        `${stream} is at version ${version}: decide again on what it is now`,
      );
  }
  return undefined;
}

function agrees(wanted: ExpectedVersion | undefined, version: number): boolean {
  switch (wanted) {
    case undefined:
    case "any":
      return true;
    case "none":
      return version === 0;
    case "exists":
      return version > 0;
    default:
      return wanted === version;
  }
}

const duplicate = (id: string): LogError =>
  new LogError("duplicate-id", { id }, "this id is in the log already: read what was decided");
