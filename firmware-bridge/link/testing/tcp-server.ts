import { createServer, type Server, type Socket } from "node:net";
import { answerPdu } from "./answers.ts";

/** One request as it came: header id, unit, PDU. */
export interface TcpRequest {
  readonly id: number;
  readonly unit: number;
  readonly pdu: Buffer;
}
export type TcpBehaviour = (request: TcpRequest, socket: Socket, n: number) => void;

export function mbap(id: number, unit: number, pdu: readonly number[]): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(pdu.length + 1, 4);
  header[6] = unit;
  return Buffer.concat([header, Buffer.from(pdu)]);
}

export const rightAnswer = ({ id, unit, pdu }: TcpRequest): Buffer => mbap(id, unit, answerPdu(pdu));

export const polite: TcpBehaviour = (request, socket) => void socket.write(rightAnswer(request));

/** A programmable Modbus TCP server on a free local port, written apart from the code under test. */
export class TcpTestServer {
  readonly requests: TcpRequest[] = [];
  readonly sockets: Socket[] = [];
  behaviour: TcpBehaviour;
  readonly #server: Server;

  private constructor(server: Server, behaviour: TcpBehaviour) {
    this.#server = server;
    this.behaviour = behaviour;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async start(behaviour: TcpBehaviour = polite, port = 0): Promise<TcpTestServer> {
    const server = createServer();
    const made = new TcpTestServer(server, behaviour);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return made;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    let pending = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 7 && pending.length >= 6 + pending.readUInt16BE(4)) {
        const length = 6 + pending.readUInt16BE(4);
        const frame = pending.subarray(0, length);
        pending = pending.subarray(length);
        const request = { id: frame.readUInt16BE(0), unit: frame[6] ?? 0, pdu: Buffer.from(frame.subarray(7)) };
        const n = this.requests.push(request) - 1;
        this.behaviour(request, socket, n);
      }
    });
  }
}
