import { systemClock } from "@servofleet/runtime/system-clock";
import { SerialPort } from "serialport";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../box/until.ts";
import { crcFits, withCrc } from "../sim/modbus-crc.ts";
import { type PacedLineOptions, startPacedLine } from "./paced-line.ts";
import { registerValue } from "./register-value.ts";

const clock = systemClock();

const readRequest = (unit: number, address: number, count: number) =>
  withCrc(Uint8Array.of(unit, 3, address >> 8, address & 0xff, 0, count));

/** A line and a master on it that only writes and listens. */
async function lineWithMaster(options: Partial<PacedLineOptions> = {}) {
  const line = await startPacedLine({ baud: 115_200, units: 4, gapUs: 0, replyGapUs: 0, ...options }, clock);
  onTestFinished(() => line.stop());
  const port = new SerialPort({ path: line.path, baudRate: 115_200 });
  let heard = Buffer.alloc(0);
  port.on("data", (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
  });
  await new Promise<void>((resolve, reject) => {
    port.once("open", resolve);
    port.once("error", reject);
  });
  onTestFinished(() => new Promise<void>((resolve) => port.close(() => resolve())));
  return {
    line,
    say: (bytes: Uint8Array) => void port.write(bytes),
    /** The next `count` bytes. */
    async hear(count: number): Promise<Buffer> {
      await until(
        `${count} bytes`,
        async () => heard.length,
        (length) => length >= count,
      );
      const bytes = heard.subarray(0, count);
      heard = heard.subarray(count);
      return bytes;
    },
  };
}

test("an answer has a good CRC and values that are bound to unit, address and number of the request", async () => {
  const { say, hear } = await lineWithMaster();
  for (const number of [1, 2]) {
    say(readRequest(3, 0x120, 2));
    const answer = await hear(9);
    expect(crcFits(answer)).toBe(true);
    expect([...answer.subarray(0, 3)]).toEqual([3, 3, 4]);
    expect([answer.readUInt16BE(3), answer.readUInt16BE(5)]).toEqual([
      registerValue(3, 0x120, number),
      registerValue(3, 0x121, number),
    ]);
  }
});

test("a single write and a block write are echoed and told, any other function is refused", async () => {
  const { line, say, hear } = await lineWithMaster();
  const writes: unknown[] = [];
  await line.onWrite(({ unit, function: code, address, value }) => writes.push([unit, code, address, value]));
  const single = withCrc(Uint8Array.of(2, 6, 0, 7, 0x12, 0x34));
  say(single);
  expect(await hear(8)).toEqual(single);
  say(withCrc(Uint8Array.of(2, 16, 0, 7, 0, 1, 2, 0xab, 0xcd)));
  expect(await hear(8)).toEqual(withCrc(Uint8Array.of(2, 16, 0, 7, 0, 1)));
  say(withCrc(Uint8Array.of(2, 5, 0, 7, 0xff, 0)));
  expect(await hear(5)).toEqual(withCrc(Uint8Array.of(2, 0x85, 1)));
  expect(writes.slice(0, 2)).toEqual([
    [2, 6, 7, 0x1234],
    [2, 16, 7, 1],
  ]);
});

test("bytes take the time of the wire: the account of the line is characters times their length, and no answer is early", async () => {
  const { line, say, hear } = await lineWithMaster({ baud: 9600 });
  const startedNs = clock.monotonicNs();
  say(readRequest(1, 0, 20));
  await hear(45);
  const tookNs = Number(clock.monotonicNs() - startedNs);
  const { wireNs, chunks } = await line.figures();
  const characterNs = Math.trunc((1e9 * 10) / 9600);
  expect(wireNs).toBe((8 + 45) * characterNs);
  expect(chunks).toBe(Math.ceil(45 / 8));
  // Late it may be on a busy machine; early never.
  expect(tookNs).toBeGreaterThanOrEqual(wireNs);
});

test("who talks while another talks spoils both frames, and it is counted", async () => {
  // The answer takes 2.1 s: the second request falls into it on any machine.
  const { line, say, hear } = await lineWithMaster({ baud: 1200 });
  say(readRequest(1, 0, 125));
  await hear(8);
  say(readRequest(2, 0, 1));
  const rest = await hear(255 - 8);
  const figures = await line.figures();
  expect(figures).toMatchObject({ collisions: 1, replies: 1, unitReplies: [1, 0, 0, 0] });
  expect(crcFits(rest.subarray(-20))).toBe(false);
  say(readRequest(2, 0, 1));
  const after = await hear(7);
  expect(crcFits(after)).toBe(true);
  expect(after[0]).toBe(2);
});

test("two units that answer at once spoil each other", async () => {
  const { line, say, hear } = await lineWithMaster({ baud: 1200, latePpm: 1_000_000, lateUs: 200_000 });
  // The late answer of unit 1 takes 2.1 s; that of unit 2 begins while it is on the wire.
  say(readRequest(1, 0, 125));
  await until(
    "the first was heard",
    () => line.figures(),
    ({ late }) => late === 1,
  );
  await line.set({ lateUs: 180_000 });
  say(readRequest(2, 0, 125));
  await hear(510);
  expect((await line.figures()).collisions).toBeGreaterThanOrEqual(1);
});

test("a request that comes before the silence is over is counted and not heard; a patient one is", async () => {
  // So long a silence that the next request is too early however slow the machine is.
  const { line, say, hear } = await lineWithMaster({ gapUs: 20_000_000 });
  say(readRequest(1, 0, 1));
  await hear(7);
  say(readRequest(1, 0, 1));
  await until(
    "the second was counted",
    () => line.figures(),
    ({ requests }) => requests === 2,
  );
  expect(await line.figures()).toMatchObject({ shortGaps: 1, replies: 1, collisions: 0 });
  await line.set({ hearShortGaps: true });
  say(readRequest(1, 0, 1));
  await hear(7);
  expect(await line.figures()).toMatchObject({ shortGaps: 2, replies: 2 });
});

test("a dead unit hears and says nothing, the others answer", async () => {
  const { line, say, hear } = await lineWithMaster();
  await line.kill(1, true);
  say(readRequest(1, 0, 1));
  await until(
    "it was heard",
    () => line.figures(),
    ({ requests }) => requests === 1,
  );
  say(readRequest(2, 0, 1));
  expect((await hear(7))[0]).toBe(2);
  expect((await line.figures()).unitReplies).toEqual([0, 1, 0, 0]);
});

test("half a frame and a frame with a wrong CRC are no requests", async () => {
  const { line, say, hear } = await lineWithMaster();
  say(readRequest(1, 0, 1).subarray(0, 5));
  await until(
    "the piece was dropped",
    () => line.figures(),
    ({ badFrames }) => badFrames === 1,
  );
  const wrong = readRequest(1, 0, 1);
  wrong[7] = (wrong[7] ?? 0) ^ 1;
  say(wrong);
  await until(
    "the wrong one too",
    () => line.figures(),
    ({ badFrames }) => badFrames === 2,
  );
  say(readRequest(1, 0, 1));
  expect(crcFits(await hear(7))).toBe(true);
  expect((await line.figures()).requests).toBe(1);
});

test("faults are drawn by the seed: the same seed spoils the same answers", async () => {
  const spoilt = async (seed: number) => {
    const { line, say, hear } = await lineWithMaster({ baud: 921_600, seed, flipPpm: 500_000 });
    const answers: boolean[] = [];
    for (let asked = 0; asked < 20; asked++) {
      say(readRequest(1, 0, 1));
      answers.push(crcFits(await hear(7)));
    }
    expect((await line.figures()).flipped).toBe(answers.filter((good) => !good).length);
    return answers.join();
  };
  const [first, again, other] = [await spoilt(7), await spoilt(7), await spoilt(8)];
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});
