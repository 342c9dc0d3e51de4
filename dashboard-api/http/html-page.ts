const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#f4f4f2}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#e8e8e4;padding:.1em .3em;border-radius:3px}
pre{padding:.8em;overflow:auto}table{border-collapse:collapse}td,th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}
h2{margin-top:2.2rem;border-top:1px solid #ccc;padding-top:1rem}a{color:#1a4a7a}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1c1c1e}code,pre{background:#2c2c2e}a{color:#8ab4e0}h2{border-color:#444}}`;

/** A page that needs nothing from outside the box: no script, no font, no image. */
export const htmlPage = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>${body}</body></html>`;

export const PAGE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
} as const;
