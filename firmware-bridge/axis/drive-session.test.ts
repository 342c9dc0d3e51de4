import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { LinkError } from "../link/link.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { DriveSession, READ_TRIES, SessionEnded, type SessionHooks } from "./drive-session.ts";
import { type Fate, MemoryLink } from "./testing/memory-link.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;

/** A session whose line loses what `fates` says, in order, and then nothing. */
function rig(fates: readonly Fate[], hooks: Partial<SessionHooks> = {}) {
  const clock = new FakeClock();
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, new TestPathTable(clock)]]));
  const left = [...fates];
  link.fate = () => left.shift() ?? "answer";
  const profile = loadProfile("leadshine-icl-rs");
  const session = new DriveSession(link, UNIT, profile, clock, { class: "command", readClass: "confirm", ...hooks });
  const outcome = async <T>(promise: Promise<T>): Promise<T | Error> => {
    const settled = promise.catch((error: Error) => error);
    await clock.advance(1000);
    return settled;
  };
  return { link, session, outcome };
}

test("a read whose answer is lost is asked again", async () => {
  const { link, session, outcome } = rig(["lost-reply", "lost-request"]);
  const values = await outcome(session.read("status"));
  expect(values).toBeInstanceOf(Map);
  expect(link.seen).toHaveLength(READ_TRIES);
});

test("a read is given up after its tries, and the failure says that nobody answered", async () => {
  const { link, session, outcome } = rig(Array.from({ length: READ_TRIES }, () => "lost-reply"));
  const error = await outcome(session.read("status"));
  expect(error).toBeInstanceOf(LinkError);
  expect(error).toMatchObject({ code: "no-reply" });
  expect(link.seen).toHaveLength(READ_TRIES);
});

test("a write whose answer is lost is never repeated", async () => {
  const { link, session, outcome } = rig(["lost-reply"]);
  const error = await outcome(session.write([["enable", 1]], "decisive"));
  expect(error).toMatchObject({ code: "no-reply", sent: true });
  expect(link.writes()).toHaveLength(1);
});

test("a session that was barred meanwhile does not ask again", async () => {
  let asked = 0;
  const { link, session, outcome } = rig(["lost-reply"], { barred: () => (asked++ > 1 ? "a stop came" : undefined) });
  const error = await outcome(session.read("status"));
  expect(error).toBeInstanceOf(SessionEnded);
  expect(link.seen.length).toBeLessThan(READ_TRIES);
});
