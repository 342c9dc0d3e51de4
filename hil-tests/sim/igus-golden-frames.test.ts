import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { IgusDrive } from "./igus-drive.ts";
import { MbapConnection } from "./mbap-connection.ts";
import { DrivePort } from "./reply-faults.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const spaced = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex").toUpperCase().replace(/../g, "$& ").trim();

/** A dryve D1 behind one TCP connection without a network: bytes in, bytes out, and time by hand. */
function connection(drive = new IgusDrive("d", 0)) {
  const clock = new FakeClock();
  let sent: Buffer[] = [];
  const wire = new MbapConnection({
    ports: [new DrivePort(drive)],
    clock,
    replyMs: 0,
    send: (bytes) => void sent.push(Buffer.from(bytes)),
    hangUp: () => sent.push(Buffer.from("hung up")),
  });
  const ask = async (request: string): Promise<string> => {
    sent = [];
    wire.receive(hex(request));
    await clock.advance(20);
    return spaced(Buffer.concat(sent));
  };
  /** Reads the statusword; its two bytes as a word. */
  const status = async (): Promise<number> => {
    const answer = hex(await ask("00 00 00 00 00 0D 00 2B 0D 00 00 00 60 41 00 00 00 00 02"));
    return answer.readUInt16LE(answer.length - 2);
  };
  const control = (word: string) => ask(`00 00 00 00 00 0F 00 2B 0D 01 00 00 60 40 00 00 00 00 02 ${word}`);
  return { ask, status, control, clock, drive };
}

test("C-D1-1: the statusword is read by the maker's telegram, and answered with 0640 (manual V2.4, p. 105)", async () => {
  const { ask } = connection();
  expect(await ask("00 00 00 00 00 0D 00 2B 0D 00 00 00 60 41 00 00 00 00 02")).toBe(
    "00 00 00 00 00 0F 00 2B 0D 00 00 00 60 41 00 00 00 00 02 40 06",
  );
});

test("a write is answered without data, with a byte count of 0, under its own transaction id", async () => {
  const { ask } = connection();
  expect(await ask("12 34 00 00 00 0F 00 2B 0D 01 00 00 60 40 00 00 00 00 02 06 00")).toBe(
    "12 34 00 00 00 0D 00 2B 0D 01 00 00 60 40 00 00 00 00 00",
  );
});

test("the enabling sequence shows the words that were seen on the wire, with or without bit 12", async () => {
  const { control, status } = connection();
  await control("06 00");
  expect(await status()).toBe(0x0621);
  await control("07 00");
  expect(await status()).toBe(0x0623);
  await control("0F 00");
  expect((await status()) & ~0x1000).toBe(0x0627);
});

test("a fault has 08 in its low byte", async () => {
  const { control, status, drive, clock } = connection();
  for (const word of ["06 00", "07 00", "0F 00"]) await control(word);
  drive.motor.push(5000);
  await clock.advance(3000);
  expect((await status()) & 0xff).toBe(0x08);
});

test.each([
  ["an object that does not exist: 02", "00 2B 0D 00 00 00 12 34 00 00 00 00 02", "AB 02"],
  ["another size than the object's: 03", "00 2B 0D 00 00 00 60 41 00 00 00 00 04", "AB 03"],
  ["a write with less data than it says: 03", "00 2B 0D 01 00 00 60 40 00 00 00 00 02 06", "AB 03"],
  ["a reserved byte that is not 0: 03", "00 2B 0D 00 01 00 60 41 00 00 00 00 02", "AB 03"],
  ["another MEI type: 01", "00 2B 0E 00 00 00 60 41 00 00 00 00 02", "AB 01"],
  ["a write to a read-only object: 04", "00 2B 0D 01 00 00 60 98 00 00 00 00 01 17", "AB 04"],
  ["a plain read of registers: 01", "00 03 60 41 00 01", "83 01"],
])("refused: %s", async (_what, tail, refusal) => {
  const { ask } = connection();
  const length = hex(tail).length.toString(16).padStart(4, "0");
  expect(await ask(`00 01 00 00 ${length} ${tail}`)).toBe(`00 01 00 00 00 03 00 ${refusal}`);
});
