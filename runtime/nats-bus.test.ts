import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { needs } from "@servofleet/hil-tests/test-host";
import { describe, expect, it, onTestFinished } from "vitest";
import { messageBusContract, until } from "./message-bus.contract.ts";
import { NatsBus } from "./nats-bus.ts";
import { systemClock } from "./system-clock.ts";

/** To nats-server: any free port. One that was looked for beforehand could be somebody else's by then. */
const ANY_PORT = -1;

/** A real nats-server on a free port of this machine, that can be taken away and brought back to the same one. */
class NatsServer {
  #port = ANY_PORT;
  #process: ChildProcess | undefined;

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const child = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(this.#port)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.includes("Server is ready"));
    this.#port = Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

describe.runIf(needs("nats-server"))("over a real nats-server", () => {
  messageBusContract("core NATS", async () => {
    const server = new NatsServer();
    await server.start();
    const faults: string[] = [];
    const parts = {
      url: server.url,
      box: "b1",
      clock: systemClock(),
      onFault: (what: string) => void faults.push(what),
    };
    const controller = new NatsBus(parts);
    const bridge = new NatsBus(parts);
    return {
      controller,
      bridge,
      faults,
      disconnect: () => server.kill(),
      connect: () => server.start(),
      end: async () => {
        await controller.close();
        await bridge.close();
        await server.kill();
      },
    };
  });

  it("boxes on one server do not hear each other", async () => {
    const server = new NatsServer();
    await server.start();
    const open = (box: string) => new NatsBus({ url: server.url, box, clock: systemClock(), onFault: () => {} });
    const [one, twin, other] = [open("b1"), open("b1"), open("b2")];
    onTestFinished(async () => {
      for (const bus of [one, twin, other]) await bus.close();
      await server.kill();
    });
    await until(() => one.connected && twin.connected && other.connected);
    const heard: string[] = [];
    twin.subscribe("controller-beats", () => heard.push("twin"));
    other.subscribe("controller-beats", () => heard.push("other"));
    one.publish("controller-beats", { epoch: 1, seq: 1, reportsSeen: 0, bridgeBoot: null });
    await until(() => heard.length > 0);
    other.publish("controller-beats", { epoch: 1, seq: 2, reportsSeen: 0, bridgeBoot: null });
    one.publish("controller-beats", { epoch: 1, seq: 3, reportsSeen: 0, bridgeBoot: null });
    await until(() => heard.length > 1);
    expect(heard).toEqual(["twin", "twin"]);
  });
});
