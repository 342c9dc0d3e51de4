import { describe, expect, test } from "vitest";
import { RtuFramer } from "../../firmware-bridge/modbus/rtu-framer.ts";
import { FuzzFinding, type FuzzTarget } from "./fuzz-target.ts";
import { FUZZ_TARGETS } from "./fuzz-targets.ts";
import { framerTarget, RTU } from "./modbus-targets.ts";
import { fuzz, replayCommand } from "./run-fuzz.ts";

/** The long form is `npm run fuzz -- --frames 1000000`. */
const FRAMES = 1200;
const SEED = 20_261_121;
/** A host that looks away for a while must not look like a parser that hangs. */
const STEP_LIMIT_MS = 30_000;

test.each(FUZZ_TARGETS.map((target) => [target.name, target] as const))(
  "%s takes damaged input without a crash, a hang or a wrong value",
  (_name, target) => {
    const outcome = fuzz(target, SEED, Math.ceil(FRAMES * target.share), 0, STEP_LIMIT_MS);
    expect(outcome.failure, replayCommand(outcome)).toBeNull();
  },
);

describe("the fuzz itself", () => {
  const failing = (at: number, fail: () => void): FuzzTarget => {
    let n = 0;
    return {
      name: "failing",
      share: 1,
      run: () => {
        if (n++ === at) fail();
      },
    };
  };

  test("tells a crash from a wrong value and from a hang, and which input it was", () => {
    const crash = failing(300, () => {
      throw new TypeError("nothing there");
    });
    const wrong = failing(3, () => {
      throw new FuzzFinding("a wrong number", { seen: 1 });
    });
    const hang = failing(2, () => {
      for (;;);
    });
    expect(fuzz(crash, 1, 400).failure).toMatchObject({ frame: 300, kind: "crash" });
    expect(fuzz(wrong, 1, 10).failure).toMatchObject({ frame: 3, kind: "wrong-value" });
    const outcome = fuzz(hang, 1, 10, 0, 500);
    expect(outcome.failure).toMatchObject({ frame: 2, kind: "hang" });
    expect(replayCommand(outcome)).toBe("npm run fuzz -- --parser failing --seed 1 --from 2 --frames 1");
  });

  test("finds a framer that does not look at the checksum, and shows it again from its seed alone", () => {
    class Trusting extends RtuFramer {
      override push(bytes: Uint8Array) {
        return super.push(bytes).map((finding) => {
          if (finding.type !== "stray" || finding.wire.length < 5) return finding;
          return { type: "reply" as const, adu: finding.wire, wire: finding.wire };
        });
      }
    }
    const target = framerTarget({ ...RTU, framer: () => new Trusting() });
    const outcome = fuzz(target, SEED, FRAMES);
    expect(outcome.failure?.kind).toBe("wrong-value");
    const again = fuzz(target, SEED, 1, outcome.failure?.frame ?? 0);
    expect(again.failure).toEqual(outcome.failure);
  });
});
