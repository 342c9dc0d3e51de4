import { join } from "node:path";
import { askOnce } from "./bench-box.ts";
import { type BenchContext, sized } from "./bench-context.ts";
import { BenchError } from "./bench-error.ts";
import { atLeast, type Measurement, measurementOf } from "./bench-result.ts";
import { interleaved } from "./interleave.ts";
import type { Target } from "./keep-alive-client.ts";
import type { ReadFigures, ReadPlan } from "./read-load.ts";
import { median, rounded } from "./statistics.ts";
import { startWorker } from "./worker.ts";

const CONNECTIONS = 20;
const AXIS_PATH = "/v1/axes/x1";
const OPEN_LIMIT_MS = 10_000;

/** `GET /v1/axes/{id}` at the read side's socket against a bare Fastify route with the same body, 20 connections each. */
export async function query(context: BenchContext): Promise<Measurement> {
  const { clock, directory } = context;
  const box = await context.box();
  const { status, body } = await askOnce(box.dashboard, AXIS_PATH);
  if (status !== 200) throw new BenchError("unexpected-answer", { status, body }, "the axis cannot be read");
  const bare = startWorker("bare-fastify", clock);
  const load = startWorker("read-load", clock);
  try {
    const bareTarget = { path: join(directory, "bare.sock") };
    await bare.ask("listen", { socketPath: bareTarget.path, body }, OPEN_LIMIT_MS);
    const durationMs = sized(context, 1500, 400);
    const rate = async (target: Target, connections = CONNECTIONS) => {
      const plan: ReadPlan = { target, path: AXIS_PATH, connections, durationMs };
      const { requestsPerS, notOk } = await load.ask<ReadFigures>("run", plan, durationMs + OPEN_LIMIT_MS);
      if (notOk > 0) throw new BenchError("unexpected-answer", { notOk, target }, "reads under load were refused");
      return requestsPerS;
    };
    await interleaved(
      1,
      () => rate(box.dashboard),
      () => rate(bareTarget),
    );
    const throughGateway: number[] = [];
    const { a, b } = await interleaved(
      sized(context, 11, 5),
      () => rate(box.dashboard),
      async () => {
        const reference = await rate(bareTarget);
        throughGateway.push(await rate(box.gateway));
        return reference;
      },
    );
    return measurementOf({
      unit: "requests/s",
      values: a,
      references: b,
      referenceName: "bare Fastify route with the same body",
      bar: atLeast(0.85),
      more: { connections: CONNECTIONS, throughGateway: rounded(median(throughGateway)) },
    });
  } finally {
    await load.stop();
    await bare.stop();
  }
}
