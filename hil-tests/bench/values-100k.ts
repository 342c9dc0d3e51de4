import type { BenchContext } from "./bench-context.ts";
import type { Measurement } from "./bench-result.ts";
import { sumOf } from "./service-memory.ts";
import { quantile, rounded } from "./statistics.ts";
import { valuesFigures } from "./values-box.ts";

const WANTED_PER_S = 100_000;
const DOWNLINK_P99_MS = 50;
const MEMORY_MIB = 350;
const GROWTH_MIB = 100;

/**
 * 100,000 register values a second through a whole box, and how long a downlink of 100 values takes meanwhile: one request
 * with 100 neighbouring values for one unit, as the gateways are measured that this is compared with (NeuronEX: "API
 * Dispatch", contiguous addresses). 100 requests for one value each, to 100 units at once, are told beside it.
 */
export async function values100k(context: BenchContext): Promise<Measurement> {
  const { valuesPerS, downlinksMs, spreadMs, idle, loaded } = await valuesFigures(context);
  const ratio = valuesPerS / WANTED_PER_S;
  const downlinkP99 = quantile(downlinksMs, 0.99);
  return {
    value: valuesPerS,
    unit: "register values/s",
    reference: { name: "wanted", value: WANTED_PER_S },
    ratio,
    bar: `>= 1, and a downlink of 100 values p99 <= ${DOWNLINK_P99_MS} ms`,
    holds: ratio >= 1 && downlinkP99 <= DOWNLINK_P99_MS,
    runs: 1,
    spread: [ratio, ratio],
    more: {
      downlinks: downlinksMs.length,
      downlinkP50Ms: rounded(quantile(downlinksMs, 0.5)),
      downlinkP99Ms: rounded(downlinkP99),
      downlinkMaxMs: rounded(quantile(downlinksMs, 1)),
      to100UnitsP50Ms: rounded(quantile(spreadMs, 0.5)),
      to100UnitsP99Ms: rounded(quantile(spreadMs, 0.99)),
      memoryMiB: rounded(sumOf(loaded)),
      growthMiB: rounded(sumOf(loaded) - sumOf(idle)),
    },
  };
}

/** What all services of a box hold in memory at 100,000 values a second. */
export async function memory(context: BenchContext): Promise<Measurement> {
  const { idle, loaded } = await valuesFigures(context);
  const total = sumOf(loaded);
  const growth = total - sumOf(idle);
  const ratio = total / MEMORY_MIB;
  const inMiB = (parts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(parts).map(([name, mib]) => [name, rounded(mib)]));
  return {
    value: total,
    unit: "MiB PSS of all services",
    reference: { name: "limit, MiB", value: MEMORY_MIB },
    ratio,
    bar: `<= 1, and growth over idle <= ${GROWTH_MIB} MiB`,
    holds: ratio <= 1 && growth <= GROWTH_MIB,
    runs: 1,
    spread: [ratio, ratio],
    more: { growthMiB: rounded(growth), loaded: inMiB(loaded), idle: inMiB(idle) },
  };
}
