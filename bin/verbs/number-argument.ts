import { InvalidArgumentError } from "commander";

/** A number of the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number is needed");
  return value;
}
