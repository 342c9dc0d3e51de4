import type { DomainEvent, Program } from "@servofleet/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CommandNews, decideRestart, decideRun, type RunInput } from "./decide-run.ts";
import { evolveRun } from "./evolve-run.ts";
import { commandIdOf, isEnded, type Run, type RunEvent } from "./run-state.ts";

const RUN = "0199f3a2-7c11-7f02-9d3e-5b1c8a7e4d31";
const PROBLEM = { slug: "following-error", detail: "behind", remedy: "look" } as const;
const move = (axis: string, position: number, compensation: object, more: object = {}) => ({
  kind: "command",
  axis,
  command: { type: "MoveAbsolute", position },
  deadlineMs: 1000,
  compensation: { deadlineMs: 500, ...compensation },
  ...more,
});
const PICK = {
  name: "pick",
  onRestart: "hold",
  triggers: [],
  steps: [
    move("x1", 10, { kind: "return-to", position: 0 }, { id: "first" }),
    { kind: "dwell", id: "rest", ms: 100 },
    {
      kind: "parallel",
      branches: [
        [
          move("x1", 20, { kind: "hold" }, { id: "left" }),
          { kind: "barrier", id: "bl", name: "both", deadlineMs: 900 },
        ],
        [
          {
            kind: "command",
            id: "spin",
            axis: "x2",
            command: { type: "MoveVelocity", velocity: 5 },
            deadlineMs: 900,
            compensation: { kind: "stop", deadlineMs: 500 },
          },
          { kind: "barrier", id: "br", name: "both", deadlineMs: 900 },
          {
            kind: "command",
            id: "spun",
            axis: "x2",
            command: { type: "Halt" },
            deadlineMs: 900,
            compensation: { kind: "none" },
          },
        ],
      ],
    },
    { kind: "wait", id: "seen", until: { axis: "z1", state: "standstill" }, deadlineMs: 800 },
    move("z1", 5, { kind: "manual" }, { id: "last" }),
  ],
} as unknown as Program;

/** A run with its story, as its stream would hold it. */
class Story {
  run: Run;
  readonly events: RunEvent[] = [];
  constructor(program: Program = PICK) {
    const started: RunEvent = {
      type: "RunStarted",
      data: {
        runId: RUN,
        program,
        version: 1,
        axes: ["x1", "x2", "z1"],
        principal: "local",
        trigger: null,
        leaseId: "l",
        fingerprint: "f",
      },
    };
    this.run = evolveRun(undefined, started);
    this.events.push(started);
    this.give({ type: "begin" });
  }
  /** What came of it; a refusal is null. */
  give(input: RunInput): readonly RunEvent[] | null {
    const decided = decideRun(this.run, input, 1_000_000);
    if ("refused" in decided) return null;
    this.events.push(...decided);
    this.run = decided.reduce<Run>(evolveRun, this.run);
    return decided;
  }
  command(what: string, news: CommandNews) {
    return this.give({
      type: "command",
      commandId: commandIdOf(RUN, what, 1),
      news,
      problem: news === "succeeded" ? null : PROBLEM,
    });
  }
  look(state: "standstill" | "homing" = "standstill") {
    return this.give({ type: "look", facts: new Map([["z1", { state, homed: true, position: 0 }]]) });
  }
  get types() {
    return this.events.map(({ type }) => type);
  }
  end() {
    return this.events.find((event) => event.type === "RunEnded")?.data;
  }
}
const begunSteps = (story: Story) => story.events.flatMap((e) => (e.type === "RunStepStarted" ? [e.data.step] : []));

/** Up to the two branches side by side, the left one moving, the right one spinning. */
function sideBySide(): Story {
  const story = new Story();
  story.command("first", "succeeded");
  story.give({ type: "timer", token: "step:rest" });
  story.command("spin", "moving");
  return story;
}

describe("on its way", () => {
  it("goes step by step, meets at the barrier, and is completed", () => {
    const story = sideBySide();
    expect(begunSteps(story)).toEqual(["first", "rest", "left", "spin", "br"]);
    story.command("left", "succeeded");
    expect(begunSteps(story).slice(-2)).toEqual(["bl", "spun"]);
    story.command("spin", "stopped");
    story.command("spun", "succeeded");
    story.look("homing");
    expect(story.run.steps.get("seen")?.status).toBe("running");
    story.look();
    story.command("last", "succeeded");
    expect(story.end()).toMatchObject({ outcome: "completed" });
  });

  it("begins nothing while it is paused, and goes on for a person", () => {
    const story = new Story();
    story.give({ type: "pause", by: "local" });
    expect(story.command("first", "succeeded")?.map(({ type }) => type)).toEqual(["RunStepEnded"]);
    story.give({ type: "resume", by: "local", leaseId: "l2" });
    expect(begunSteps(story)).toEqual(["first", "rest"]);
    expect(story.give({ type: "resume", by: "local", leaseId: "l3" })).toBeNull();
  });
});

describe("off its way", () => {
  it("halts what runs when a step fails, compensates in reverse, and offers the way back to a person", () => {
    const story = sideBySide();
    story.command("left", "failed");
    expect(story.run.state).toBe("halting");
    expect([...story.run.halts.keys()]).toEqual(["halt:x2"]);
    story.command("halt:x2", "succeeded");
    // spin: stop; left: hold; first: return-to, which a stop has made a person's.
    expect(story.types).toContain("RunStopAsked");
    story.give({ type: "stop-confirmed", axis: "x2", done: true });
    story.command("undo:left", "succeeded");
    expect(story.end()).toMatchObject({ outcome: "held" });
    const undone = story.events.flatMap((e) =>
      e.type === "RunCompensationEnded" ? [[e.data.step, e.data.outcome]] : [],
    );
    expect(undone).toEqual([
      ["spin", "done"],
      ["left", "done"],
      ["first", "skipped"],
    ]);
  });

  it("moves back only when a person lets it, and ends compensated", () => {
    const story = new Story();
    story.command("first", "failed");
    expect(story.run.state).toBe("offering");
    expect(story.types).not.toContain("RunCompensationStarted");
    story.give({ type: "resume", by: "local", leaseId: "l" });
    expect(story.events.at(-2)).toMatchObject({ data: { by: "local", command: { axis: "x1" } } });
    story.command("undo:first", "succeeded");
    expect(story.end()).toMatchObject({ outcome: "compensated" });
  });

  it("is held when the way back is declined, by a person or by time", () => {
    for (const input of [
      { type: "abort", by: "local" },
      { type: "timer", token: "offer:first" },
    ] as const) {
      const story = new Story();
      story.command("first", "failed");
      story.give(input);
      expect(story.end()).toMatchObject({ outcome: "held" });
    }
  });

  it("is held when nobody knows how a step ended", () => {
    const story = new Story();
    story.command("first", "indeterminate");
    expect(story.end()).toMatchObject({ outcome: "held" });
  });

  it("brings the group to rest when one axis is in error, sparing the one its drive has stopped", () => {
    const story = sideBySide();
    story.give({ type: "trouble", axis: "x1", inError: true, problem: PROBLEM });
    expect([...story.run.halts.keys()]).toEqual(["halt:x2"]);
  });

  it("takes a velocity move that has an end for over, whatever the end is called", () => {
    const story = new Story();
    story.command("first", "succeeded");
    story.give({ type: "timer", token: "step:rest" });
    story.command("spin", "succeeded");
    expect(story.run.steps.get("spin")?.status).toBe("failed");
    expect(story.run.state).toBe("halting");
    expect(story.command("spin", "succeeded")).toEqual([]);
  });

  it("stops what a halt does not bring to rest", () => {
    for (const news of ["rejected", "failed", "indeterminate"] as const) {
      const story = sideBySide();
      story.give({ type: "abort", by: "local" });
      story.command("halt:x1", news);
      expect(story.events.at(-1)).toMatchObject({ type: "RunStopAsked", data: { axes: ["x1"] } });
    }
    const late = sideBySide();
    late.give({ type: "abort", by: "local" });
    late.give({ type: "timer", token: "halt" });
    expect(late.run.stopped).toEqual(new Set(["x1", "x2"]));
    late.give({ type: "timer", token: "halt:2" });
    expect(late.end()).toMatchObject({ outcome: "held" });
  });

  it("takes the end of a motion that was to go on for a failure", () => {
    const story = sideBySide();
    story.command("spin", "failed");
    expect(story.run.state).toBe("halting");
  });

  it("ends a command that is overdue by halting it", () => {
    const story = new Story();
    story.give({ type: "timer", token: "step:first" });
    expect([...story.run.halts.keys()]).toEqual(["halt:x1"]);
    expect(story.give({ type: "timer", token: "step:first" })).toEqual([]);
  });

  it("is ended held by a restart, or paused where the program says so", () => {
    expect(decideRestart(sideBySide().run, 0, true)).toMatchObject([{ type: "RunEnded", data: { outcome: "held" } }]);
    const story = new Story({ ...PICK, onRestart: "pause" });
    expect(decideRestart(story.run, 0, true)[0]).toMatchObject({ type: "RunPaused", data: { by: "restart" } });
    expect(decideRestart(story.run, 0, false)).toMatchObject([{ type: "RunEnded", data: { outcome: "held" } }]);
    story.command("first", "failed");
    expect(decideRestart(story.run, 0, true)).toMatchObject([{ type: "RunEnded" }]);
  });
});

const NEWS = ["moving", "succeeded", "failed", "rejected", "stopped", "indeterminate"] as const;
const WHATS = ["first", "left", "spin", "spun", "last", "halt:x1", "halt:x2", "halt:z1", "undo:first", "undo:left"];
const TOKENS = [
  "step:first",
  "step:rest",
  "step:left",
  "step:br",
  "step:seen",
  "halt",
  "halt:2",
  "undo:left",
  "offer:first",
  "pause",
];
const AXES = ["x1", "x2", "z1"];
const commandInput = (news: readonly CommandNews[]) =>
  fc.tuple(fc.constantFrom(...WHATS), fc.constantFrom(...news)).map(
    ([what, one]): RunInput => ({
      type: "command",
      commandId: commandIdOf(RUN, what, 1),
      news: one,
      problem: PROBLEM,
    }),
  );
const anyInput = fc.oneof(
  { weight: 8, arbitrary: commandInput(["succeeded", "moving"]) },
  { weight: 2, arbitrary: commandInput(NEWS) },
  { weight: 3, arbitrary: fc.constantFrom(...TOKENS).map((token): RunInput => ({ type: "timer", token })) },
  {
    weight: 2,
    arbitrary: fc.constant<RunInput>({
      type: "look",
      facts: new Map([["z1", { state: "standstill", homed: true, position: 0 }]]),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...AXES).map((axis): RunInput => ({ type: "stop", axis, by: "person" })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...AXES).map((axis): RunInput => ({ type: "stop-confirmed", axis, done: true })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...AXES)
      .map((axis): RunInput => ({ type: "trouble", axis, inError: true, problem: PROBLEM })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<RunInput>(
      { type: "pause", by: "local" },
      { type: "abort", by: "local" },
      { type: "resume", by: "local", leaseId: "l" },
      { type: "control-lost", by: "taken" },
    ),
  },
);

/** Commands that set something in motion, with the place in the story where they were asked for. */
const motions = (events: readonly RunEvent[]) =>
  events.flatMap((event, at) => {
    if (event.type === "RunStepStarted" && event.data.command && event.data.step !== "spun") return [at];
    return event.type === "RunCompensationStarted" && event.data.kind === "return-to" ? [at] : [];
  });

describe("whatever happens, in whatever order", () => {
  const story = (inputs: readonly RunInput[]) => {
    const told = new Story();
    for (const input of inputs) told.give(input);
    return told;
  };
  const law = (holds: (told: Story, inputs: readonly RunInput[]) => void) =>
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 40 }), (inputs) => holds(story(inputs), inputs)),
      { numRuns: 1000 },
    );

  it("a run ends at most once, and nothing follows its end", () =>
    law((told) => {
      const end = told.types.indexOf("RunEnded");
      expect(end === -1 || end === told.types.length - 1).toBe(true);
    }));

  it("no motion follows a stop, a loss of control, an unknown outcome or the end", () =>
    law((told) => {
      const last = told.events.findIndex(
        (event) =>
          ["RunTouched", "RunStopAsked", "RunEnded"].includes(event.type) ||
          (event.type === "RunStepEnded" && event.data.outcome === "unknown"),
      );
      expect(motions(told.events).filter((at) => last >= 0 && at > last)).toEqual([]);
    }));

  it("a run that a stop touched is not ended otherwise than held", () =>
    law((told) => {
      const end = told.end();
      if (told.run.touched && end) expect(end.outcome).toBe("held");
    }));

  it("no step begins after the good way was left, and a way back is always let go by a person", () =>
    law((told) => {
      const left = told.types.indexOf("RunHalting");
      expect(told.types.lastIndexOf("RunStepStarted") < left || left === -1).toBe(true);
      for (const event of told.events)
        if (event.type === "RunCompensationStarted" && event.data.kind === "return-to")
          expect(event.data.by).toBe("local");
    }));

  it("every run comes to its end by its timers alone, whatever it waits for", () =>
    law((told) => {
      for (let round = 0; round < 60 && !isEnded(told.run); round++) {
        expect(told.run.timers.size, `${told.run.state} waits for nothing`).toBeGreaterThan(0);
        for (const token of told.run.timers.keys()) told.give({ type: "timer", token });
      }
      expect(told.end()).toBeDefined();
    }));

  it("no command id is used twice", () =>
    law((told) => {
      const ids = told.events.flatMap((event: DomainEvent) => {
        if (event.type === "RunHalting") return event.data.commands.map(({ commandId }) => commandId);
        return (event.type === "RunStepStarted" || event.type === "RunCompensationStarted") && event.data.command
          ? [event.data.command.commandId]
          : [];
      });
      expect(new Set(ids).size).toBe(ids.length);
    }));

  it("the same input twice does it once", () =>
    law((told, inputs) => {
      const last = inputs.at(-1);
      if (!last || last.type === "timer" || last.type === "pause" || last.type === "resume" || last.type === "abort")
        return;
      if (last.type === "command" || last.type === "stop") expect(told.give(last) ?? []).toEqual([]);
    }));

  it("cut off after any event, a new life ends it held or keeps it paused, and begins nothing", () =>
    law((told) => {
      for (let until = 1; until <= told.events.length; until++) {
        const cut = told.events.slice(0, until).reduce<Run | undefined>(evolveRun, undefined);
        if (!cut || isEnded(cut)) continue;
        const events = decideRestart(cut, 0, true);
        expect(events.map(({ type }) => type)).toEqual(["RunEnded"]);
        expect(isEnded(events.reduce<Run>(evolveRun, cut))).toBe(true);
      }
    }));
});
