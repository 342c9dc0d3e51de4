import { EventEmitter } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { ChildProcessBus } from "./child-process-bus.ts";
import { memoryBusPair } from "./memory-bus.ts";
import { messageBusContract } from "./message-bus.contract.ts";

messageBusContract("memory", async () => {
  const faults: string[] = [];
  const pair = memoryBusPair((channel) => faults.push(channel));
  return {
    controller: pair.controller,
    bridge: pair.bridge,
    faults,
    disconnect: async () => pair.disconnect(),
    connect: async () => pair.connect(),
    end: async () => {
      await pair.controller.close();
      await pair.bridge.close();
    },
  };
});

/** The shape of a process's message channel over a real structured-clone port, so that both ends live in one test. */
class ChannelEnd extends EventEmitter {
  readonly #port: MessageChannel["port1"];
  connected = true;
  constructor(port: MessageChannel["port1"]) {
    super();
    this.#port = port;
    port.on("message", (message: unknown) => this.emit("message", message));
    port.on("close", () => {
      if (!this.connected) return;
      this.connected = false;
      this.emit("disconnect");
    });
  }
  send(message: object, done: (error: Error | null) => void): boolean {
    this.#port.postMessage(message);
    setImmediate(() => done(null));
    return true;
  }
  disconnect(): void {
    this.connected = false;
    this.#port.close();
    this.emit("disconnect");
  }
}

messageBusContract("child process, both ends on a port", async () => {
  const faults: string[] = [];
  const onFault = (channel: string) => faults.push(channel);
  const controller = new ChildProcessBus(onFault);
  const bridge = new ChildProcessBus(onFault);
  let ends: [ChannelEnd, ChannelEnd] | undefined;
  const connect = async () => {
    const { port1, port2 } = new MessageChannel();
    ends = [new ChannelEnd(port1), new ChannelEnd(port2)];
    controller.attach(ends[0] as never);
    bridge.attach(ends[1] as never);
  };
  await connect();
  return {
    controller,
    bridge,
    faults,
    disconnect: async () => ends?.[0].disconnect(),
    connect,
    end: async () => {
      await controller.close();
      await bridge.close();
    },
  };
});
