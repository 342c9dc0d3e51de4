import { Gauge, type Registry } from "prom-client";
import type { TelemetrySource, TelemetryUsage } from "../telemetry/telemetry-source.ts";

const FIGURES: readonly (readonly [name: string, help: string, value: (usage: TelemetryUsage) => number])[] = [
  ["used_bytes", "Part of the telemetry file that holds samples", (usage) => usage.usedBytes],
  ["file_bytes", "Size of the telemetry file", (usage) => usage.fileBytes],
  ["budget_bytes", "What the telemetry file may grow to", (usage) => usage.budgetBytes],
  ["lost_samples", "Samples the store had no room or disk for since its start", (usage) => usage.lostSamples],
];

/** Adds what the telemetry store takes of the disk; a file that cannot be read has no figures. */
export function addTelemetryMetrics(registry: Registry, telemetry: TelemetrySource): Registry {
  for (const [name, help, value] of FIGURES)
    new Gauge({
      name: `servofleet_telemetry_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.reset();
        const usage = await telemetry.usage().catch(() => undefined);
        if (usage) this.set(value(usage));
      },
    });
  return registry;
}
