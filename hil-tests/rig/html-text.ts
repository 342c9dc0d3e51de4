/** Text that may stand anywhere in a page, also in an attribute. */
export const escapedHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** `3.4 s`, `2 min 5 s`. */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** Bytes in hex, spaced by byte. */
export const spacedHex = (hex: string): string => hex.replace(/(..)(?=.)/g, "$1 ");
