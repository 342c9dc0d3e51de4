import { KeepAliveClient, type Target } from "./keep-alive-client.ts";
import type { WorkerParts } from "./worker-parts.ts";

export interface ReadPlan {
  readonly target: Target;
  readonly path: string;
  readonly connections: number;
  readonly durationMs: number;
}
export interface ReadFigures {
  readonly requestsPerS: number;
  readonly notOk: number;
}

/** Asks the same question on many connections, each again as soon as it was answered. */
export function readLoad({ clock }: WorkerParts) {
  let enough = false;
  return {
    /** Ends the run under way. */
    enough() {
      enough = true;
    },
    async run({ target, path, connections, durationMs }: ReadPlan): Promise<ReadFigures> {
      enough = false;
      const startedMs = clock.monotonicMs();
      const endMs = startedMs + durationMs;
      let answered = 0;
      let notOk = 0;
      const ask = async () => {
        const client = new KeepAliveClient(target);
        while (!enough && clock.monotonicMs() < endMs) {
          const { status } = await client.request("GET", path);
          answered += 1;
          if (status !== 200) notOk += 1;
        }
        client.close();
      };
      await Promise.all(Array.from({ length: connections }, ask));
      return { requestsPerS: (answered * 1000) / (clock.monotonicMs() - startedMs), notOk };
    },
  };
}
