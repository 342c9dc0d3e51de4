import { expect, test } from "vitest";
import { UnitBook } from "./unit-book.ts";
import { afterTimeout, newHealth, OPEN_AFTER_TIMEOUTS } from "./unit-health.ts";

const PROBE_MS = 25;
const SPAN_MS = 10_000;

/** Eight units that never answer, asked whenever the book says that one is due; time goes on by 1 ms. */
function probesIn(spanMs: number, patient: boolean): number {
  const book = new UnitBook(Array.from({ length: 8 }, (_, at) => ({ unit: at + 1, axis: null })));
  for (const page of book.pages()) {
    page.health = newHealth();
    for (let n = 0; n < OPEN_AFTER_TIMEOUTS; n++) page.health = afterTimeout(page.health, 0, 0, 0);
  }
  let probes = 0;
  for (let nowMs = 0; nowMs < spanMs; nowMs++) {
    const page = book.dueProbe(nowMs, patient);
    if (!page) continue;
    probes++;
    book.probed(nowMs, PROBE_MS);
    // Open again, and due at once: only the book's own limits hold it back.
    page.health = { ...page.health, openUntilMs: nowMs - SPAN_MS };
  }
  return probes;
}

test("on a line without spare time the probes of many silent units take at most a twentieth of it", () => {
  const probes = probesIn(SPAN_MS, true);
  expect(probes).toBeGreaterThan(0);
  expect(probes * PROBE_MS).toBeLessThanOrEqual(SPAN_MS / 20 + PROBE_MS);
});

test("in spare time they come as often as one may", () => {
  expect(probesIn(SPAN_MS, false)).toBeGreaterThan(2 * probesIn(SPAN_MS, true));
});
