import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReadStream } from "node:tty";
import { systemClock } from "@servofleet/runtime/system-clock";
import { answerTo, crcOf } from "./answers.ts";
import { openPty, type Pty } from "./pty.ts";

/** Bytes a slave sends, `afterMs` after the request was whole. */
export interface Step {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}
/** Decides what a slave does with the n-th request (from 0). */
export type Behaviour = (request: Buffer, n: number) => readonly Step[];

export const obedient: Behaviour = (request) => [{ afterMs: 0, bytes: answerTo(request) }];

/** Keeps the answer to the first request back and sends it together with the answer to the second: late, in one burst. */
export function firstAnswerLate(): Behaviour {
  let held: Buffer | undefined;
  return (request, n) => {
    const bytes = answerTo(request);
    if (n === 0) held = bytes;
    return n === 0 ? [] : [{ afterMs: 0, bytes: n === 1 && held ? Buffer.concat([held, bytes]) : bytes }];
  };
}

/** Says nothing until `release`, which answers the last request; obedient afterwards. */
export function heldBack(): { behaviour: Behaviour; release: (slave: RtuSlave) => void } {
  let released = false;
  return {
    behaviour: (request, n) => (released ? obedient(request, n) : []),
    release: (slave) => {
      released = true;
      const last = slave.requests.at(-1);
      if (last) slave.send(answerTo(last));
    },
  };
}

/** A programmable Modbus slave behind a real pty, written apart from the code under test. It answers for every unit. */
export class RtuSlave {
  readonly requests: Buffer[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), "servofleet-line-"));
  readonly path = join(this.#dir, "line");
  behaviour: Behaviour;
  #pty: Pty | undefined;
  #reader: ReadStream | undefined;
  #pending = Buffer.alloc(0);
  readonly #clock = systemClock();

  constructor(behaviour: Behaviour = obedient) {
    this.behaviour = behaviour;
    this.plug();
  }

  plug(): void {
    const pty = openPty();
    symlinkSync(pty.path, this.path);
    this.#pty = pty;
    this.#pending = Buffer.alloc(0);
    this.#reader = new ReadStream(pty.master);
    this.#reader.on("data", (bytes: Buffer) => this.#received(bytes));
    this.#reader.on("error", () => undefined);
  }

  /** As pulling the adapter out: the device is gone, and its path with it. */
  unplug(): void {
    unlinkSync(this.path);
    this.#reader?.destroy();
    this.#pty?.release();
    this.#reader = undefined;
    this.#pty = undefined;
  }

  send(bytes: Uint8Array): void {
    if (this.#pty) writeSync(this.#pty.master, bytes);
  }

  close(): void {
    if (this.#pty) this.unplug();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #received(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    for (;;) {
      const length = this.#pending[1] === 16 ? 9 + (this.#pending[6] ?? 255) : 8;
      if (this.#pending.length < length) return;
      const request = this.#pending.subarray(0, length);
      this.#pending = this.#pending.subarray(length);
      if (crcOf(request.subarray(0, -2)) !== request.readUInt16LE(length - 2)) continue;
      const n = this.requests.push(Buffer.from(request)) - 1;
      for (const step of this.behaviour(request, n)) {
        if (step.afterMs <= 0) this.send(step.bytes);
        else this.#clock.after(step.afterMs, () => this.send(step.bytes), true);
      }
    }
  }
}
