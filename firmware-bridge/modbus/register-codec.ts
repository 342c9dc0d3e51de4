import type { LineCodec } from "../link/line-codec.ts";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "./codec-reply.ts";
import { type ExpectedReply, expectedReply } from "./expected-reply.ts";
import { isExceptionFrame, registerReply, registerRequest } from "./register-frames.ts";

/**
 * The codec of serial Modbus lines. `ModbusCodec` (modbus-serial) says the same, and a test holds them against each
 * other; it parses each frame a second time and leaves garbage, which counts on a fast line (decision 10).
 */
export class RegisterCodec implements LineCodec {
  readonly bareReplies = false;
  #settle: ((reply: CodecReply) => void) | undefined;

  begin(unit: number, request: ModbusRequest, settle: (reply: CodecReply) => void): Uint8Array {
    this.#settle = settle;
    return registerRequest(unit, request);
  }

  expected(unit: number, request: ModbusRequest): ExpectedReply {
    return expectedReply(unit, request);
  }

  isException(frame: Uint8Array): boolean {
    return isExceptionFrame(frame);
  }

  deliver(frame: Uint8Array): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(registerReply(frame));
  }

  abandon(): void {
    this.#settle = undefined;
  }
}
