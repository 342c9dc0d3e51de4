import { createServer } from "node:net";
import { readAnswer } from "./read-answer.ts";

/** A Modbus TCP server that answers reads as fast as it can, and nothing else. */
export function modbusTcpServer() {
  return {
    open: (): Promise<{ port: number }> =>
      new Promise((resolve) => {
        const server = createServer({ noDelay: true }, (socket) => {
          let pending = Buffer.alloc(0);
          socket.on("error", () => socket.destroy());
          socket.on("data", (bytes: Buffer) => {
            pending = Buffer.concat([pending, bytes]);
            while (pending.length >= 12) {
              const pdu = readAnswer(pending.subarray(7, 12));
              const answer = Buffer.alloc(7 + pdu.length);
              pending.copy(answer, 0, 0, 7);
              answer.writeUInt16BE(1 + pdu.length, 4);
              answer.set(pdu, 7);
              socket.write(answer);
              pending = pending.subarray(12);
            }
          });
        });
        server.listen(0, "127.0.0.1", () => {
          const address = server.address();
          resolve({ port: address !== null && typeof address === "object" ? address.port : 0 });
        });
      }),
  };
}
