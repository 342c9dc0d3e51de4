import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Frame } from "@servofleet/contracts";
import { ForeignError } from "./foreign-error.ts";

const RUN_LIMIT_MS = 60_000;
/** A line of fields for each packet of the longest capture. */
const OUTPUT_MAX_BYTES = 8_388_608;
/** What a link sends goes to the port where Wireshark looks for Modbus. */
const MODBUS_PORT = 502;
const OUR_PORT = 49_152;

/** User 0 of the link types that anybody may use; tshark is told below that Modbus RTU lives there. */
const USER_LINK_TYPE = 147;
const RTU_OPTIONS = [
  "-o",
  `uat:user_dlts:"User 0 (DLT=${USER_LINK_TYPE})","mbrtu","0","","0",""`,
  "-o",
  "mbrtu.crc_verification:TRUE",
];

/** Fields asked of tshark, in this order. */
const FIELDS = [
  "frame.protocols",
  "mbrtu.unit_id",
  "mbtcp.unit_id",
  "mbrtu.crc16.status",
  "mbtcp.trans_id",
  "modbus.func_code",
  "modbus.exception_code",
  "modbus.reference_num",
  "modbus.word_cnt",
  "modbus.regval_uint16",
  "_ws.malformed",
  "_ws.expert.message",
] as const;

/** One frame as Wireshark's dissector sees it. */
export interface Dissected {
  /** It was taken for Modbus to its end, without a complaint. */
  readonly whole: boolean;
  /** Checksum of the RTU frame; null on TCP and where none was found. */
  readonly crcGood: boolean | null;
  readonly unit: number | null;
  readonly transaction: number | null;
  readonly functionCode: number | null;
  readonly exceptionCode: number | null;
  /** First register of a request or an echo. */
  readonly address: number | null;
  readonly quantity: number | null;
  /** Register values it found, in order; [] where the frame has none or the dissector shows them as mere bytes. */
  readonly values: readonly number[];
  /** What tshark complains of, "" when of nothing. */
  readonly complaint: string;
}

/** Frames of a serial line, whole with unit and checksum: text2pcap makes a capture of them, tshark reads it. */
export const dissectRtu = (frames: readonly Frame[]): Promise<Dissected[]> =>
  dissect(frames, ["-l", String(USER_LINK_TYPE)], RTU_OPTIONS);

/** Frames of a TCP link, whole with their MBAP header. text2pcap turns outgoing packets round: the ports are given as they come in. */
export const dissectTcp = (frames: readonly Frame[]): Promise<Dissected[]> =>
  dissect(frames, ["-4", "10.0.0.2,10.0.0.1", "-T", `${MODBUS_PORT},${OUR_PORT}`], []);

async function dissect(
  frames: readonly Frame[],
  packing: readonly string[],
  options: readonly string[],
): Promise<Dissected[]> {
  const directory = mkdtempSync(join(tmpdir(), "capture-"));
  const [text, capture] = [join(directory, "frames.txt"), join(directory, "frames.pcapng")];
  try {
    writeFileSync(text, frames.map(hexDump).join(""));
    await run("text2pcap", ["-q", "-D", "-t", "ISO", ...packing, text, capture]);
    const seen = await dissectFile(capture, options);
    if (seen.length !== frames.length)
      throw new ForeignError("frames-lost", { given: frames.length, seen: seen.length }, "see text2pcap's hex dump");
    return seen;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Every packet of a capture file; `options` as tshark takes them. */
export async function dissectFile(capture: string, options: readonly string[] = []): Promise<Dissected[]> {
  const fields = FIELDS.flatMap((field) => ["-e", field]);
  // The separator inside a field keeps several values apart.
  const shape = ["-T", "fields", "-E", "separator=/t", "-E", "aggregator=,"];
  const { stdout } = await run("tshark", ["-r", capture, ...options, ...shape, ...fields]);
  return stdout.split("\n").slice(0, -1).map(parse);
}

const run = (command: string, args: readonly string[]) =>
  promisify(execFile)(command, [...args], { timeout: RUN_LIMIT_MS, maxBuffer: OUTPUT_MAX_BYTES });

/** text2pcap's hex dump: direction and time, then offset and bytes. */
const hexDump = ({ direction, at, hex }: Frame): string =>
  `${direction === "tx" ? "O" : "I"} ${at}\n000000 ${hex.replace(/..(?=.)/g, "$& ")}\n`;

function parse(line: string): Dissected {
  const shown = line.split("\t");
  const text = (field: (typeof FIELDS)[number]) => shown[FIELDS.indexOf(field)] ?? "";
  const number = (field: (typeof FIELDS)[number]) => (text(field) === "" ? null : Number(text(field).split(",")[0]));
  const crc = number("mbrtu.crc16.status");
  const complaint = [text("_ws.malformed"), text("_ws.expert.message")].filter((said) => said !== "").join("; ");
  return {
    whole: text("frame.protocols").endsWith(":modbus") && complaint === "",
    crcGood: crc === null ? null : crc === 1,
    unit: number("mbrtu.unit_id") ?? number("mbtcp.unit_id"),
    transaction: number("mbtcp.trans_id"),
    functionCode: number("modbus.func_code"),
    exceptionCode: number("modbus.exception_code"),
    address: number("modbus.reference_num"),
    quantity: number("modbus.word_cnt"),
    values: text("modbus.regval_uint16") === "" ? [] : text("modbus.regval_uint16").split(",").map(Number),
    complaint,
  };
}
