/** A rig that cannot be run: a wrong file, a device that is missing, a gateway that knows other axes. Nothing was moved. */
export class RigError extends Error {
  override readonly name = "RigError";
  readonly code: "wrong-usage" | "missing-device" | "other-fleet" | "not-started";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: RigError["code"], what: string, facts: Readonly<Record<string, unknown>>, hint: string) {
    super(what);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

/** A step of a scenario that did not come out as the file says. `detail` is for a person. */
export class StepError extends Error {
  override readonly name = "StepError";
  readonly code = "step-failed";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "the report shows the curves, the commands and their frames";
  constructor(detail: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.facts = facts;
  }
}
