import type { ProblemFacts, ProblemSlug, Refusal } from "@servofleet/contracts";

/** Longest text of a problem or reason in an event. */
const TEXT_MAX = 500;
export const cut = (text: string): string => (text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`);

export const problem = (
  slug: ProblemSlug,
  detail: string,
  remedy: string,
  errors: readonly { readonly pointer: string; readonly detail: string }[] = [],
): ProblemFacts => ({
  slug,
  detail: cut(detail),
  remedy: cut(remedy),
  ...(errors.length === 0 ? {} : { errors: [...errors] }),
});

/** A decided "no": a value, never thrown. */
export const refuse = (facts: ProblemFacts): Refusal => ({ refused: true, problem: facts });

/** True for a decided "no". */
export const isRefusal = (value: object): value is Refusal => "refused" in value;

/** A number for a person: at most six decimals, no trailing zeros. */
export const plain = (value: number): string => String(Number(value.toFixed(6)) + 0);
