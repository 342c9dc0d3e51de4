import { connect, type NetConnectOpts, type Socket } from "node:net";
import { BenchError } from "./bench-error.ts";

/** A Unix socket or a TCP address. */
export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

export interface PlainAnswer {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
  readonly body: string;
}

/** No answer of ours takes longer; a bench that hangs says nothing. */
const ANSWER_LIMIT_MS = 30_000;
const HEAD_END = "\r\n\r\n";

/**
 * One kept HTTP/1.1 connection with one request at a time: a client that costs so little that the server is what is
 * measured. It knows the answers of our own servers and of Fastify and no others.
 */
export class KeepAliveClient {
  readonly #socket: Socket;
  #received = "";
  #waiting: { resolve(answer: PlainAnswer): void; reject(error: Error): void } | undefined;

  constructor(target: Target) {
    this.#socket = connect({ ...target, noDelay: true } as NetConnectOpts);
    this.#socket.setEncoding("latin1");
    this.#socket.setTimeout(ANSWER_LIMIT_MS, () => this.#fail(`no answer within ${ANSWER_LIMIT_MS} ms`));
    this.#socket.on("data", (text: string) => this.#take(text));
    this.#socket.on("error", (error) => this.#fail(error.message));
    this.#socket.on("close", () => this.#fail("connection closed"));
  }

  /** Rejects with BenchError when the connection breaks. */
  request(method: "GET" | "POST", path: string, body?: string, headers = ""): Promise<PlainAnswer> {
    const content =
      body === undefined ? "" : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}${content}\r\n${body ?? ""}`);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #fail(reason: string): void {
    this.#waiting?.reject(new BenchError("unexpected-answer", { reason }, "the server hung up"));
    this.#waiting = undefined;
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const bodyAt = headEnd + HEAD_END.length;
    const end = this.#bodyEnd(head, bodyAt);
    if (end === undefined || this.#received.length < end) return;
    const answer = { status: Number(head.slice(9, 12)), head, body: this.#received.slice(bodyAt, end) };
    this.#received = this.#received.slice(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #bodyEnd(head: string, bodyAt: number): number | undefined {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (length) return bodyAt + Number(length[1]);
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return bodyAt;
    const last = this.#received.indexOf(`0${HEAD_END}`, bodyAt);
    return last < 0 ? undefined : last + 1 + HEAD_END.length;
  }
}

/** Value of a header, or undefined. */
export const headerOf = ({ head }: PlainAnswer, name: string): string | undefined =>
  new RegExp(`\\r\\n${name}: *([^\\r]*)`, "i").exec(head)?.[1];
