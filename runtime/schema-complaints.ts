import { nearestSpelling } from "./nearest-spelling.ts";

/** One thing that is wrong in a document, in words for the person who wrote it. */
export interface Complaint {
  /** Dotted path with indexes: `links[0].baud`; empty for the document itself. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
  /** The spelling that was probably meant. */
  readonly nearest: string | undefined;
}

/** The part of JSON Schema that our own schemas use. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly description?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const show = (value: unknown): string =>
  value === undefined
    ? "nothing"
    : typeof value === "number"
      ? String(value)
      : (JSON.stringify(value) ?? String(value)).slice(0, 80);
const at = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

/**
 * Checks a document against one of our schemas and fills in defaults. All complaints at once, each with the path, what
 * was found, what is allowed, and the nearest valid spelling. The value is only to be trusted when there are none.
 */
export function checkDocument(schema: object, value: unknown): { value: unknown; complaints: readonly Complaint[] } {
  const complaints: Complaint[] = [];
  const checked = walk(schema as Schema, value, "", complaints);
  return { value: checked, complaints };
}

function walk(schema: Schema, given: unknown, path: string, out: Complaint[]): unknown {
  const value = given === undefined && schema.default !== undefined ? structuredClone(schema.default) : given;
  if (schema.anyOf) return walkUnion(schema.anyOf, value, path, out);
  if (schema.type === "object") return walkObject(schema, value, path, out);
  if (schema.type === "array") return walkArray(schema, value, path, out);
  const allowed = scalarTrouble(schema, value);
  if (allowed)
    out.push({ path, found: show(value), allowed: note(allowed, schema), nearest: near(value, literals(schema)) });
  return value;
}

const note = (allowed: string, schema: Schema): string =>
  schema.description ? `${allowed} (${schema.description})` : allowed;
const near = (value: unknown, words: readonly unknown[]): string | undefined =>
  typeof value === "string"
    ? nearestSpelling(
        value,
        words.filter((word) => typeof word === "string"),
      )
    : undefined;
const literals = (schema: Schema): readonly unknown[] =>
  schema.const !== undefined ? [schema.const] : (schema.enum ?? []);

function walkObject(schema: Schema, value: unknown, path: string, out: Complaint[]): unknown {
  if (!isObject(value)) {
    out.push({ path, found: show(value), allowed: note("a mapping", schema), nearest: undefined });
    return value;
  }
  const properties = schema.properties ?? {};
  const names = Object.keys(properties);
  for (const key of Object.keys(value)) {
    if (key in properties) continue;
    out.push({
      path: at(path, key),
      found: "an unknown field",
      allowed: names.join(", "),
      nearest: nearestSpelling(key, names),
    });
  }
  const result: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(properties)) {
    const missing = value[key] === undefined && part.default === undefined;
    if (missing && !schema.required?.includes(key)) continue;
    if (missing)
      out.push({ path: at(path, key), found: "nothing", allowed: note(describe(part), part), nearest: undefined });
    else result[key] = walk(part, value[key], at(path, key), out);
  }
  return result;
}

function walkArray(schema: Schema, value: unknown, path: string, out: Complaint[]): unknown {
  const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) {
    out.push({
      path,
      found: Array.isArray(value) ? `${value.length} entries` : show(value),
      allowed: describe(schema),
      nearest: undefined,
    });
    return value;
  }
  return items ? value.map((item, index) => walk(items, item, `${path}[${index}]`, out)) : value;
}

/** A union is a set of literals, a scalar or a list of them, or mappings told apart by a literal field (`kind`). */
function walkUnion(branches: readonly Schema[], value: unknown, path: string, out: Complaint[]): unknown {
  const tag = Object.entries(branches[0]?.properties ?? {}).find(([, part]) => part.const !== undefined)?.[0];
  if (tag === undefined) {
    const list = Array.isArray(value) && branches.find(({ type }) => type === "array");
    if (list) return walkArray(list, value, path, out);
    const words = branches.flatMap(literals);
    if (branches.some((branch) => scalarTrouble(branch, value) === undefined)) return value;
    out.push({ path, found: show(value), allowed: branches.map(describe).join(" or "), nearest: near(value, words) });
    return value;
  }
  if (!isObject(value)) {
    out.push({ path, found: show(value), allowed: "a mapping", nearest: undefined });
    return value;
  }
  const chosen = branches.find((branch) => branch.properties?.[tag]?.const === value[tag]);
  if (chosen) return walk(chosen, value, path, out);
  const kinds = branches.map((branch) => branch.properties?.[tag]?.const);
  out.push({
    path: at(path, tag),
    found: show(value[tag]),
    allowed: kinds.map(show).join(" or "),
    nearest: near(value[tag], kinds),
  });
  return value;
}

/** What is allowed, when the value is not; undefined when it fits. */
function scalarTrouble(schema: Schema, value: unknown): string | undefined {
  const words = literals(schema);
  const fits =
    words.length > 0
      ? words.includes(value)
      : schema.type === "string"
        ? typeof value === "string" && stringFits(schema, value)
        : schema.type === "number" || schema.type === "integer"
          ? typeof value === "number" && numberFits(schema, value)
          : schema.type === "null"
            ? value === null
            : typeof value === schema.type;
  return fits ? undefined : describe(schema);
}

const stringFits = (schema: Schema, value: string): boolean =>
  value.length >= (schema.minLength ?? 0) &&
  value.length <= (schema.maxLength ?? Number.POSITIVE_INFINITY) &&
  (schema.pattern === undefined || new RegExp(schema.pattern).test(value));

const numberFits = (schema: Schema, value: number): boolean =>
  Number.isFinite(value) &&
  (schema.type !== "integer" || Number.isInteger(value)) &&
  value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
  value <= (schema.maximum ?? Number.POSITIVE_INFINITY) &&
  value > (schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY);

function describe(schema: Schema): string {
  const words = literals(schema);
  if (words.length > 0) return words.map(show).join(" or ");
  if (schema.anyOf) return schema.anyOf.map(describe).join(" or ");
  if (schema.type === "object") return "a mapping";
  if (schema.type === "array")
    return `a list of ${schema.minItems ?? 0} to ${schema.maxItems ?? "any number of"} entries`;
  if (schema.type === "string") return schema.pattern ? `text matching ${schema.pattern}` : "text";
  const low =
    schema.minimum !== undefined
      ? ` of at least ${schema.minimum}`
      : schema.exclusiveMinimum !== undefined
        ? ` above ${schema.exclusiveMinimum}`
        : "";
  const high = schema.maximum !== undefined ? `${low ? " and" : " of"} at most ${schema.maximum}` : "";
  return `${schema.type === "integer" ? "a whole number" : schema.type === "number" ? "a number" : (schema.type ?? "a value")}${low}${high}`;
}
