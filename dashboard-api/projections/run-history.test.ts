import type { EventData, Program } from "@servofleet/contracts";
import { Compile } from "typebox/compile";
import { afterEach, describe, expect, it } from "vitest";
import { RESPONSES } from "../http/response-schema.ts";
import { type Rig, startRig } from "../testing/dashboard-rig.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";

const RUN = "0199f3a2-7c11-7f02-9d3e-5b1c8a7e4d31";
const OTHER = "0199f3a2-7c11-7f02-9d3e-5b1c8a7e4d32";
const COMMAND = "0b6f0f5e-0f0c-5a0b-9a35-1f6a6c1d2e01";
const BACK = "0b6f0f5e-0f0c-5a0b-9a35-1f6a6c1d2e02";
const PROBLEM = { slug: "following-error", detail: "0.4 mm behind", remedy: "look for what holds it" } as const;
const started = (runId: string, name: string): EventData<"RunStarted"> => ({
  runId,
  program: { name, onRestart: "hold", steps: [], triggers: [] } as Program,
  version: 3,
  axes: ["x1", "x2"],
  principal: "local",
  trigger: null,
  leaseId: "l",
  fingerprint: "f",
});

let rig: Rig;
afterEach(() => rig.close());

/** A run whose second step failed, whose first one was undone by a person's leave, and one that still goes. */
async function told() {
  const log = new LogBuilder();
  log.configured(testFleet());
  const stream = `run-${RUN}`;
  log.add(stream, "RunStarted", started(RUN, "pick"));
  const command = { axis: "x1", commandId: COMMAND };
  log.add(stream, "RunStepStarted", { step: "down", attempt: 1, kind: "command", command, compensation: "return-to" });
  log.add(stream, "RunTimerSet", { token: "step:down", afterMs: 5000, dueAt: "2026-11-21T10:15:05.000000Z" });
  log.add(stream, "RunStepEnded", { step: "down", attempt: 1, outcome: "succeeded", problem: null });
  log.add(stream, "RunStepStarted", { step: "rest", attempt: 1, kind: "dwell", command: null, compensation: "none" });
  log.add(stream, "RunHalting", { problem: PROBLEM, aborted: false, commands: [{ axis: "x2", commandId: BACK }] });
  log.add(stream, "RunStepEnded", { step: "rest", attempt: 1, outcome: "halted", problem: null });
  log.add(stream, "RunStepEnded", { step: "halt:x2", attempt: 1, outcome: "succeeded", problem: null });
  log.add(stream, "RunCompensating", { steps: ["down"] });
  log.add(stream, "RunCompensationOffered", { step: "down" });
  log.add(stream, "RunCompensationStarted", {
    step: "down",
    kind: "return-to",
    command: { axis: "x1", commandId: BACK },
    by: "local",
  });
  log.add(stream, "RunCompensationEnded", { step: "down", kind: "return-to", outcome: "done", detail: "there" });
  log.add(stream, "RunEnded", { outcome: "compensated", reason: "what had been done was undone", problem: PROBLEM });
  log.add(`run-${OTHER}`, "RunStarted", started(OTHER, "feed"));
  rig = await startRig(new MemoryLogSource(log.events));
  return rig;
}

describe("a run on the read side", () => {
  it("tells each step, its command and what undid it, as published", async () => {
    const box = await told();
    const { status, body } = await box.get(`/v1/runs/${RUN}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      runId: RUN,
      program: "pick",
      version: 3,
      state: "compensated",
      problem: { title: "Following error" },
    });
    expect(body.steps).toMatchObject([
      {
        step: "down",
        state: "succeeded",
        axis: "x1",
        commandId: COMMAND,
        compensation: { kind: "return-to", state: "done", commandId: BACK },
      },
      {
        step: "rest",
        kind: "dwell",
        state: "halted",
        commandId: null,
        compensation: { kind: "none", state: "planned" },
      },
    ]);
    expect(body.transitions.map(({ state }: { state: string }) => state)).toEqual([
      "running",
      "halting",
      "compensating",
      "offering",
      "compensating",
      "compensated",
    ]);
    expect([...Compile(RESPONSES.Run).Errors(body)]).toEqual([]);
  });

  it("is listed newest first, by program and by state", async () => {
    const box = await told();
    const ids = async (query: string) =>
      (await box.get(`/v1/runs${query}`)).body.items.map(({ runId }: { runId: string }) => runId);
    expect(await ids("")).toEqual([OTHER, RUN]);
    expect(await ids("?limit=1")).toEqual([OTHER]);
    expect(await ids("?program=pick")).toEqual([RUN]);
    expect(await ids("?state=running")).toEqual([OTHER]);
    expect((await box.get("/v1/runs?state=done")).status).toBe(400);
    expect((await box.get(`/v1/runs/${BACK}`)).status).toBe(404);
  });
});
