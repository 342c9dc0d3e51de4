import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import type { Wire } from "../link/wire.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { identifyUnit } from "./identify-unit.ts";
import { ScanSession } from "./scan-session.ts";
import { scanTalk } from "./scan-talk.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

const WAIT_MS = 50;
type Deliver = (give: () => void) => void;

/** A wire whose other end knows some answers by heart and is silent otherwise. */
function wireOf(answers: Readonly<Record<string, string>>, asked: string[], deliver: Deliver): Wire {
  const known = new Map(Object.entries(answers).map(([request, reply]) => [request.replaceAll(" ", ""), hex(reply)]));
  return {
    open: (handlers) => {
      queueMicrotask(() => handlers.onUp());
      return {
        write(bytes) {
          const request = Buffer.from(bytes).toString("hex").toUpperCase();
          asked.push(request);
          const reply = known.get(request);
          if (reply) deliver(() => handlers.onBytes(reply));
          return bytes.length;
        },
        drain: () => new Uint8Array(0),
        close: (reason) => handlers.onDown(reason),
        closed: Promise.resolve(),
      };
    },
  };
}

async function talkOver(
  kind: "dynamixel" | "feetech" | "modbus-rtu",
  answers: Readonly<Record<string, string>>,
  deliver: Deliver = queueMicrotask,
  clock = new FakeClock(),
) {
  const asked: string[] = [];
  const session = await ScanSession.open(wireOf(answers, asked, deliver), clock, "bus", 0);
  const talk = scanTalk(kind, session, WAIT_MS);
  const settled = async <T>(answer: Promise<T>): Promise<T> => {
    let done = false;
    void answer.finally(() => {
      done = true;
    });
    while (!done) await clock.advance(5);
    return answer;
  };
  return { talk, asked, settled };
}

test("a Dynamixel's ping is the maker's frame and tells its model (e-manual, Protocol 2.0, Ping)", async () => {
  const { talk, settled } = await talkOver("dynamixel", {
    "FF FF FD 00 01 03 00 01 19 4E": "FF FF FD 00 01 07 00 55 00 06 04 26 65 5D",
  });
  expect(await settled(talk.ping(1))).toEqual({ model: 1030 });
  expect(await settled(talk.ping(2))).toBeNull();
});

test("a Feetech's ping and model are asked without a write", async () => {
  const { talk, asked, settled } = await talkOver("feetech", { "FF FF 01 02 01 FB": "FF FF 01 02 00 FC" });
  expect(await settled(talk.ping(1))).toEqual({ model: null });
  // Instruction byte: 1 ping, 2 read.
  expect(asked.map((packet) => packet.slice(8, 10))).toEqual(["01", "02"]);
});

test("an exception is an answer, silence is none", async () => {
  const { talk, settled } = await talkOver("modbus-rtu", { "0103000000 01840A": "01 83 02 C0 F1" });
  expect(await settled(talk.ping(1))).toEqual({ model: null });
  expect(await settled(talk.ping(2))).toBeNull();
});

test("an answer that is there already counts, also when our own loop was too busy to read it in time", async () => {
  const clock = new FakeClock();
  // The loop comes back when the wait is over, and its timers run before it reads.
  const busy = (read: () => void) => void clock.after(WAIT_MS, () => clock.soon(read));
  const { talk, settled } = await talkOver("modbus-rtu", { "0103000000 01840A": "01 83 02 C0 F1" }, busy, clock);
  expect(await settled(talk.ping(1))).toEqual({ model: null });
});

test("a unit that refuses every identity register fits no profile", async () => {
  const profiles = ["leadshine-icl-rs", "oriental-az"].map((name) => loadProfile(name));
  const deaf = { ping: async () => null, read: async () => null, identification: async () => null };
  expect(await identifyUnit(deaf, 1, profiles)).toEqual([]);
});
