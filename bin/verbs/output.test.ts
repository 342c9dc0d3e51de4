import { expect, test } from "vitest";
import { age, colourWanted, figure, table } from "./output.ts";

const terminal = { isTTY: true } as NodeJS.WriteStream;
const pipe = { isTTY: false } as NodeJS.WriteStream;

test("colour is only for a terminal whose person has not refused it", () => {
  expect(colourWanted(terminal, {})).toBe(true);
  expect(colourWanted(terminal, { NO_COLOR: "1" })).toBe(false);
  expect(colourWanted(terminal, { TERM: "dumb" })).toBe(false);
  expect(colourWanted(pipe, {})).toBe(false);
});

test("columns are as wide as what is seen in them: colour takes no room", () => {
  const text = table(
    ["AXIS", "STATE"],
    [
      ["x1", "\u001b[31moffline\u001b[0m", "a"],
      ["x22222", "standstill", "b"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "AXIS    STATE",
    "x1      \u001b[31moffline\u001b[0m     a",
    "x22222  standstill  b",
  ]);
});

test("figures have three decimals at most, and what is unknown is no number", () => {
  expect(figure(12.34567, "mm")).toBe("12.346 mm");
  expect(figure(-0.0001)).toBe("0");
  expect(figure(null, "mm")).toBe("-");
  expect(age(null)).toBe("-");
  expect([age(120), age(42_000), age(1_200_000)]).toEqual(["0.1 s", "42 s", "20 min"]);
});
