import type { LinkConfig } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { withCrcOf } from "../../firmware-bridge/link/testing/answers.ts";
import { rtuConfig, tcpConfig } from "../../firmware-bridge/link/testing/link-bench.ts";
import { RtuSlave } from "../../firmware-bridge/link/testing/rtu-slave.ts";
import { mbap, TcpTestServer } from "../../firmware-bridge/link/testing/tcp-server.ts";
import type { TelltaleDrives } from "../../firmware-bridge/link/testing/telltale-drives.ts";
import type { LineFaults } from "../../firmware-bridge/link/testing/virtual-line.ts";
import { exchangeFault, flipped } from "./exchange-faults.ts";

/** Cap of the reply time-out: short, so that a trial of thousands of lost frames ends. */
export const STOP_WAIT_MS = 25;
/** A late answer comes between one and three of these after its time-out. */
const LATE_MS = STOP_WAIT_MS;
/**
 * Where a spoilt answer over TCP is spoilt: what follows the byte count has no checksum of Modbus, TCP itself guards it. A
 * spoilt protocol or length costs a whole reconnection of up to 5 s, so it is rare.
 */
const TCP_ID = [0, 2] as const;
const TCP_LENGTHS = [2, 6] as const;
const TCP_BODY = [6, 9] as const;
const LENGTHS_SHARE = 0.05;

export interface FaultyServerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly drives: TelltaleDrives;
  readonly faults: LineFaults;
}

/** A server that loses, spoils, doubles and delays what it says, behind a real pty or socket. */
export interface FaultyServer {
  readonly config: LinkConfig;
  close(): Promise<void>;
}

interface Said {
  readonly bytes: Uint8Array;
  readonly afterMs: number;
}

/** What the drives behind a bad line say to a request in RTU form: nothing, or an answer now or when nobody waits for it. */
function answered({ random, drives, faults }: FaultyServerParts, request: Uint8Array, isTcp: boolean) {
  const fault = exchangeFault(random, faults);
  if (fault.requestLost) return undefined;
  // On TCP a flipped request would be another valid one, which no client could know of.
  const heard = fault.requestFlipped && !isTcp ? flipped(random, request) : request;
  const reply = drives.answer(heard);
  if (!reply || fault.answerLost) return undefined;
  const afterMs = fault.late ? LATE_MS * (1 + 2 * random.next()) : 0;
  return {
    reply: reply.bytes,
    afterMs,
    times: fault.twice ? 2 : 1,
    spoilt: fault.answerFlipped || (isTcp && fault.requestFlipped),
  };
}

function spoiltMbap(random: Random, right: Buffer): Buffer {
  const [from, to] = random.next() < LENGTHS_SHARE ? TCP_LENGTHS : random.next() < 0.5 ? TCP_ID : TCP_BODY;
  const end = Math.min(to, right.length);
  return Buffer.concat([right.subarray(0, from), flipped(random, right.subarray(from, end)), right.subarray(end)]);
}

export function faultyPty(parts: FaultyServerParts): FaultyServer {
  const slave = new RtuSlave((request): Said[] => {
    const said = answered(parts, request, false);
    if (!said) return [];
    const bytes = said.spoilt ? flipped(parts.random, said.reply) : said.reply;
    return Array.from({ length: said.times }, () => ({ bytes, afterMs: said.afterMs }));
  });
  return { config: rtuConfig(slave.path, STOP_WAIT_MS), close: async () => slave.close() };
}

export async function faultyTcp(parts: FaultyServerParts): Promise<FaultyServer> {
  const server = await TcpTestServer.start(({ id, unit, pdu }, socket) => {
    const said = answered(parts, withCrcOf([unit, ...pdu]), true);
    if (!said) return;
    const right = mbap(id, unit, [...said.reply.subarray(1, -2)]);
    const bytes = said.spoilt ? spoiltMbap(parts.random, right) : right;
    const say = () => {
      for (let n = 0; n < said.times; n++) if (socket.writable) socket.write(bytes);
    };
    if (said.afterMs > 0) parts.clock.after(said.afterMs, say, true);
    else say();
  });
  return { config: tcpConfig(server.port, STOP_WAIT_MS), close: () => server.close() };
}
