/** How a verb speaks: text for people, one JSON document for programs (`--json`). */
export interface Output {
  readonly json: boolean;
  /** A document for programs, or its text for people. */
  show(document: unknown, text: () => string): void;
  /** Diagnostics: never on stdout; `{"note"}` for programs. */
  note(text: string): void;
}

/** Colour only where a person looks at it and has not said otherwise (no-color.org). */
export const colourWanted = (stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";

export function output(json: boolean): Output {
  return {
    json,
    show: (document, text) => void process.stdout.write(`${json ? JSON.stringify(document) : text()}\n`),
    note: (text) => void process.stderr.write(`${json ? JSON.stringify({ note: text }) : text}\n`),
  };
}

const RED = "\u001b[31m";
const PLAIN = "\u001b[0m";

/** Marks what is abnormal; the word itself carries the meaning, so nothing is lost without colour. */
export const abnormal = (text: string): string =>
  colourWanted(process.stdout, process.env) ? `${RED}${text}${PLAIN}` : text;

/** A plain table: columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes do not take room on the screen
  const bare = (cell: string) => cell.replace(/\u001b\[\d+m/g, "");
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => bare(row[column] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - bare(cell).length)))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map(line).join("\n");
}

/** A number for a person: at most three decimals, `-` for unknown. */
export const figure = (value: number | null | undefined, unit = ""): string =>
  value === null || value === undefined ? "-" : `${Math.round(value * 1000) / 1000}${unit ? ` ${unit}` : ""}`;

/** An age for a person. */
export function age(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 10_000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms < 600_000
      ? `${Math.round(ms / 1000)} s`
      : `${Math.round(ms / 60_000)} min`;
}
