import { type ForeignProcess, startForeign } from "./foreign-process.ts";
import { freePort } from "./free-port.ts";

/** A real nats-server on one port of this machine, that can be killed and started again. */
export interface NatsServer {
  readonly url: string;
  readonly running: boolean;
  /** Harmless when it runs. */
  start(): Promise<void>;
  /** SIGKILL; harmless when it is dead. */
  kill(): Promise<void>;
}

/** Starts one on a free port. */
export async function startNats(): Promise<NatsServer> {
  const port = await freePort();
  let server: ForeignProcess | undefined;
  const nats: NatsServer = {
    url: `nats://127.0.0.1:${port}`,
    get running() {
      return server?.running ?? false;
    },
    async start() {
      if (nats.running) return;
      server = await startForeign("nats-server", ["-a", "127.0.0.1", "-p", String(port)], /Server is ready/);
    },
    kill: async () => server?.end("SIGKILL"),
  };
  await nats.start();
  return nats;
}
