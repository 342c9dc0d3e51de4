/** RFC 3339 UTC with microseconds, from microseconds since 1970 (a whole number below 2^53). */
export function rfc3339(wallUs: number): string {
  const millis = Math.floor(wallUs / 1000);
  const micros = String(Math.floor(wallUs - millis * 1000)).padStart(3, "0");
  return `${new Date(millis).toISOString().slice(0, 23)}${micros}Z`;
}

/** Microseconds since 1970 of an RFC 3339 time (microseconds kept, finer digits cut); undefined when it is not one. */
export function parseRfc3339(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/.exec(text);
  if (!match?.[1] || !match[3]) return undefined;
  const seconds = Date.parse(`${match[1].toUpperCase()}${match[3].toUpperCase()}`);
  return Number.isNaN(seconds) ? undefined : seconds * 1000 + Number((match[2] ?? "").padEnd(6, "0").slice(0, 6));
}
