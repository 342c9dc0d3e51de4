import { expect, test } from "vitest";
import type { Output } from "./output.ts";
import { parseUnits } from "./scan.ts";
import { scanShow } from "./scan-progress.ts";

function show(terminal: boolean) {
  const notes: string[] = [];
  const drawn: string[] = [];
  const out: Output = { json: false, show: () => undefined, note: (text) => void notes.push(text) };
  const stream = { write: (text: string) => drawn.push(text) > 0 } as unknown as NodeJS.WritableStream;
  return { notes, drawn, made: scanShow(out, stream, terminal) };
}
const setting = { baud: 38_400, parity: "none", stopBits: 1 } as const;
const found = { unit: 3, setting, matches: [], model: null, device: null };

test("a terminal gets one line that is drawn over, and found units stay above it", () => {
  const { notes, drawn, made } = show(true);
  made.progress({ setting, unit: 3, asked: 16, total: 32 });
  made.found(found);
  made.end();
  expect(drawn[0]).toContain("[############............] 16/32  38400 8N1  unit 3  found 0");
  expect(drawn.at(-1)).toBe("\r\u001b[K");
  expect(notes).toEqual(["unit 3 answers at 38400 8N1: no profile fits"]);
});

test("elsewhere each setting is one plain line, without a control character", () => {
  const { notes, drawn, made } = show(false);
  for (const unit of [1, 2, 3]) made.progress({ setting, unit, asked: unit, total: 3 });
  made.end();
  expect(drawn).toEqual([]);
  expect(notes).toEqual(["asking at 38400 8N1 (1 of 3)"]);
});

test("units are read as ranges and lists, each once; what no drive can have is wrong usage", () => {
  expect(parseUnits("1,3,7-9,3", "modbus-rtu")).toEqual([1, 3, 7, 8, 9]);
  for (const text of ["0", "9-3", "a", "", "1-", "1-300"]) expect(() => parseUnits(text, "modbus-rtu")).toThrow();
});
