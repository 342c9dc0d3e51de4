import type { CodecReply } from "../modbus/codec-reply.ts";
import type { ExpectedReply } from "../modbus/expected-reply.ts";
import type { ModbusRequest } from "./link.ts";

/** Requests into frames and matched answers into values, for one protocol of a line. */
export interface LineCodec {
  /** Answers tell neither register nor value (servo buses): any late one of the same length fits any request. */
  readonly bareReplies: boolean;
  /** The frame of a request. `settle` is called by `deliver`, at most once. */
  begin(unit: number, request: ModbusRequest, settle: (reply: CodecReply) => void): Uint8Array;
  /** What the one right answer looks like, for the framer. */
  expected(unit: number, request: ModbusRequest): ExpectedReply;
  /** Whether a matched answer is a refusal. */
  isException(frame: Uint8Array): boolean;
  /** Hands over the matched answer. */
  deliver(frame: Uint8Array): void;
  /** Gives the request up: nothing that arrives later can reach it. */
  abandon(): void;
}

/** Length of the frames of one protocol, bytes. */
export interface FrameSizes {
  request(request: ModbusRequest): number;
  reply(request: ModbusRequest): number;
}
