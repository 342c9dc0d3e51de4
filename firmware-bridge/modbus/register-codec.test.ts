import fc from "fast-check";
import { expect, test } from "vitest";
import type { LineCodec } from "../link/line-codec.ts";
import type { ModbusRequest } from "../link/link.ts";
import { withCrcOf } from "../link/testing/answers.ts";
import type { CodecReply } from "./codec-reply.ts";
import {
  assertRequest,
  functionCodeOf,
  READ_REGISTERS_MAX,
  READ_WRITE_REGISTERS_MAX,
  requestBytes,
  WRITE_REGISTERS_MAX,
} from "./expected-reply.ts";
import { ModbusCodec } from "./modbus-codec.ts";
import { RegisterCodec } from "./register-codec.ts";

const word = fc.integer({ min: 0, max: 0xffff });
/** Low enough that the longest request stays below address 65535. */
const address = fc.integer({ min: 0, max: 0xffff - READ_REGISTERS_MAX });
const words = (max: number) => fc.array(word, { minLength: 1, maxLength: max });
const quantity = fc.integer({ min: 1, max: READ_REGISTERS_MAX });
const anyRequest: fc.Arbitrary<ModbusRequest> = fc.oneof(
  fc.record({ fn: fc.constant("read" as const), address, quantity }),
  fc.record({ fn: fc.constant("write" as const), address, value: word }),
  fc.record({ fn: fc.constant("write-many" as const), address, values: words(WRITE_REGISTERS_MAX) }),
  fc.record({
    fn: fc.constant("read-write" as const),
    address,
    quantity,
    writeAddress: address,
    values: words(READ_WRITE_REGISTERS_MAX),
  }),
);
const anyUnit = fc.integer({ min: 0, max: 255 });

/** What a codec makes of a request and of its answer. */
function spoken(codec: LineCodec, unit: number, request: ModbusRequest, answer: Uint8Array) {
  const replies: CodecReply[] = [];
  const sent = [...codec.begin(unit, request, (reply) => replies.push(reply))];
  codec.deliver(answer);
  return { sent, replies, isException: codec.isException(answer) };
}

/** Both keep what they have between two requests. */
const codecs = () => ({ own: new RegisterCodec(), oracle: new ModbusCodec() });

/** The answer that the framer lets through: a refusal, or data of the length asked for. */
function answerTo(unit: number, request: ModbusRequest, data: readonly number[], exception: number | null): Uint8Array {
  const code = functionCodeOf(request);
  if (exception !== null) return withCrcOf([unit, code | 0x80, exception]);
  if ("quantity" in request) {
    const bytes = Array.from({ length: 2 * request.quantity }, (_, at) => data[at % data.length] ?? 0);
    return withCrcOf([unit, code, bytes.length, ...bytes]);
  }
  const second = request.fn === "write" ? request.value : request.values.length;
  const echo = [request.address, second].flatMap((value) => [value >>> 8, value & 0xff]);
  return withCrcOf([unit, code, ...echo]);
}

test("it writes every register request and reads its answer as modbus-serial does", () => {
  const { own, oracle } = codecs();
  const data = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 250 });
  const exception = fc.option(fc.integer({ min: 1, max: 11 }));
  fc.assert(
    fc.property(anyUnit, anyRequest, data, exception, (unit, request, bytes, refusal) => {
      assertRequest(unit, request);
      const answer = answerTo(unit, request, bytes, refusal);
      const ours = spoken(own, unit, request, answer);
      expect(ours).toEqual(spoken(oracle, unit, request, answer));
      expect(ours.sent.length).toBe(requestBytes(request));
      expect(ours.replies).toHaveLength(1);
    }),
    { numRuns: 2000 },
  );
});

test("Kinco's refusal of a read, which names another function, is a refusal", () => {
  const answer = withCrcOf([1, 0x81, 2]);
  const { replies } = spoken(new RegisterCodec(), 1, { fn: "read", address: 0, quantity: 1 }, answer);
  expect(replies).toEqual([{ type: "exception", exceptionCode: 2 }]);
});

test("an answer after its request was given up reaches nobody", () => {
  const codec = new RegisterCodec();
  const replies: CodecReply[] = [];
  codec.begin(1, { fn: "read", address: 0, quantity: 1 }, (reply) => replies.push(reply));
  codec.abandon();
  codec.deliver(withCrcOf([1, 3, 2, 0, 7]));
  expect(replies).toEqual([]);
});
