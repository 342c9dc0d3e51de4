import { InvalidArgumentError } from "commander";

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number of the command line, written in decimal. */
export function number(text: string): number {
  const value = Number(text);
  if (!DECIMAL.test(text) || !Number.isFinite(value))
    throw new InvalidArgumentError("a number is needed, as 12.5 or -3");
  return value;
}

/** A whole number between `min` and `max`. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`a whole number from ${min} to ${max} is needed`);
    return value;
  };
