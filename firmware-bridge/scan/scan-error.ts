/**
 * A scan that did not take place. Nothing was written to any drive, whatever the code.
 * - `line-held`: another process has the serial device
 * - `line-down`: the device or server cannot be reached
 * - `line-talks`: somebody else's bytes are on the line
 */
export class ScanError extends Error {
  override readonly name = "ScanError";
  readonly code: "line-held" | "line-down" | "line-talks";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: ScanError["code"], what: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(what);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}
