/** Strings and the marks between them; what lies between are numbers, literals and space. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * The first field that stands twice in an object of this JSON text; undefined when none does. `JSON.parse` would take
 * the last one silently, another reader the first: which of two positions was meant is nobody's to guess (RFC 8259, 4).
 * The text has been parsed before, so it is JSON.
 */
export function repeatedField(text: string): string | undefined {
  /** The fields of each open object, null for an open array. */
  const open: (Set<string> | null)[] = [];
  let atName = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const fields = open.at(-1);
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : null);
    else if (token === "}" || token === "]") open.pop();
    else if (atName && fields && token !== ",") {
      const name = String(JSON.parse(token));
      if (fields.has(name)) return name;
      fields.add(name);
    }
    atName = token === "{" || (token === "," && fields !== null);
  }
  return undefined;
}

/** A body that says two things at once. */
export class RepeatedFieldError extends Error {
  override readonly name = "RepeatedFieldError";
  readonly code = "repeated-field";
  readonly facts: { readonly field: string };
  readonly hint = "send each field once";
  constructor(field: string) {
    super(`the field ${JSON.stringify(field)} stands there twice`);
    this.facts = { field };
  }
}
