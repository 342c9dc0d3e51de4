import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SerialPort } from "serialport";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../test-host.ts";
import { withCrc } from "./modbus-crc.ts";

const MAIN = fileURLToPath(new URL("./sim-main.ts", import.meta.url));
const WAIT_MS = 60_000;

let dir: string;
let sim: ChildProcess;
let ready: { links: { id: string; path?: string; port?: number }[]; control: string };

const LINKS = `
control: { port: 0 }
links:
  - { id: line_a, kind: modbus-rtu, path: line_a, baud: 115200, drives: [
      { id: x1, unit: 1, model: leadshine-icl-rs, quirks: { bootMs: 2500 } },
      { id: x2, unit: 2, model: leadshine-icl-rs, plant: { startAt: 3000 } } ] }
  - { id: cell_1, kind: modbus-tcp, drives: [{ id: z1, unit: 255, model: mitsubishi-mr-je-c }] }
`;

async function startSim(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, join(dir, "links.yaml")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, ready: JSON.parse(line) as typeof ready };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "sim-"));
  writeFileSync(join(dir, "links.yaml"), LINKS);
  ({ child: sim, ready } = await startSim());
});

afterAll(async () => {
  sim.kill("SIGTERM");
  if (sim.exitCode === null) await once(sim, "exit");
  rmSync(dir, { recursive: true });
});

async function get(path: string) {
  const response = await fetch(`${ready.control}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function post(path: string, body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${ready.control}${path}`, { method: "POST", body: text });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Sends frames one by one and collects what comes back for each. */
async function openLine() {
  const port = new SerialPort({ path: join(dir, "line_a"), baudRate: 115_200, autoOpen: false });
  await promisify(port.open.bind(port))();
  return {
    port,
    /** The reply, or what had come when `bytes` failed to arrive within `limitMs`. */
    ask: (frame: Uint8Array, bytes: number, limitMs = WAIT_MS) => collect(port, frame, bytes, limitMs),
    close: () => new Promise<void>((resolve) => port.close(() => resolve())),
  };
}

function collect(stream: SerialPort | Socket, frame: Uint8Array, bytes: number, limitMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    const done = () => {
      clearTimeout(timer);
      stream.off("data", take);
      resolve(got);
    };
    const take = (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (got.length >= bytes) done();
    };
    const timer = setTimeout(done, limitMs);
    stream.on("data", take);
    stream.write(frame);
  });
}

const readFrame = (unit: number, address: number, count: number) =>
  withCrc(Buffer.of(unit, 3, address >> 8, address & 0xff, 0, count));
const writeFrame = (unit: number, address: number, value: number) =>
  withCrc(Buffer.of(unit, 6, address >> 8, address & 0xff, value >> 8, value & 0xff));

describe("on a serial line", () => {
  let line: Awaited<ReturnType<typeof openLine>>;
  const read = () => line.ask(readFrame(1, 0x0001, 1), 7);
  const silent = () => line.ask(readFrame(1, 0x0001, 1), 7, 100);

  beforeAll(async () => {
    line = await openLine();
  });
  afterEach(() => post("/drives/x1/faults", { kind: "clear" }));
  afterAll(() => line.close());

  test("a drive answers through serialport", async () => {
    expect((await read()).toString("hex")).toBe("0103022710a278");
  });

  test("bytes that a terminal would translate pass unharmed", async () => {
    for (const value of [0x0a0d, 0x0311, 0x1304, 0x7f1a]) {
      const frame = writeFrame(1, 0x6201, value);
      expect(await line.ask(frame, 8)).toEqual(Buffer.from(frame));
    }
  });

  test("two drives on the line keep their own positions", async () => {
    const reply = await line.ask(readFrame(2, 0x602c, 2), 9);
    expect(reply[0]).toBe(2);
    expect((await get("/drives/x2")).body["plant"]).toMatchObject({ position: 3000 });
  });

  test("a silent drive is silent until cleared, and its neighbour answers", async () => {
    expect((await post("/drives/x1/faults", { kind: "silence" })).status).toBe(200);
    expect(await silent()).toHaveLength(0);
    expect(await line.ask(readFrame(2, 0x0001, 1), 7)).toHaveLength(7);
    await post("/drives/x1/faults", { kind: "clear" });
    expect(await read()).toHaveLength(7);
  });

  test("a lost reply to an executed write leaves the write in the drive's record", async () => {
    await post("/drives/x1/faults", { kind: "silence", execute: true, times: 1, on: "writes" });
    expect(await read()).toHaveLength(7);
    expect(await line.ask(writeFrame(1, 0x000f, 1), 8, 100)).toHaveLength(0);
    // The control port may answer before the line is read: they are two streams.
    await expect
      .poll(async () => (await get("/drives/x1")).body)
      .toMatchObject({ enabled: true, record: [{ seq: 1, kind: "enable", obeyed: true }] });
    await line.ask(writeFrame(1, 0x000f, 0), 8);
    expect((await get("/drives/x1?afterSeq=1")).body["record"]).toMatchObject([{ seq: 2, kind: "disable" }]);
  });

  test.each([
    [{ kind: "wrong-crc" }, "01030227 10a22d"],
    [{ kind: "drop-bytes", count: 3 }, "01030227"],
    [{ kind: "exception", code: 4 }, "01830440f3"],
    [{ kind: "wrong-unit", unit: 9 }, "0903022710439b"],
  ])("the fault %j meets one reply and then is gone", async (fault, hex) => {
    await post("/drives/x1/faults", fault);
    const expected = Buffer.from(hex.replaceAll(" ", ""), "hex");
    const first = await line.ask(readFrame(1, 0x0001, 1), expected.length);
    if (fault.kind === "wrong-unit") expect(first.subarray(0, 5)).toEqual(expected.subarray(0, 5));
    else expect(first).toEqual(expected);
    expect((await read()).toString("hex")).toBe("0103022710a278");
  });

  test("a late reply comes after the master gave up", async () => {
    // Late by far more than a busy host needs to see that nothing has come.
    await post("/drives/x1/faults", { kind: "late-reply", delayMs: 1500 });
    expect(await line.ask(readFrame(1, 0x0001, 1), 7, 50)).toHaveLength(0);
    expect(await line.ask(Buffer.alloc(0), 7)).toHaveLength(7);
  });

  test("a stale answer repeats the reply before", async () => {
    await read();
    await post("/drives/x1/faults", { kind: "stale-answer" });
    expect((await line.ask(readFrame(1, 0x000b, 1), 7)).toString("hex")).toBe("0103022710a278");
  });

  test("noise and garbage arrive unasked", async () => {
    const [bytes] = await Promise.all([
      line.ask(Buffer.alloc(0), 3),
      post("/links/line_a/faults", { kind: "garbage", hex: "C0FFEE" }),
    ]);
    expect(bytes.toString("hex")).toBe("c0ffee");
    const [noise] = await Promise.all([
      line.ask(Buffer.alloc(0), 20),
      post("/links/line_a/faults", { kind: "noise", count: 20 }),
    ]);
    expect(noise).toHaveLength(20);
  });

  test("unplugging takes the path away, and plugging in again brings the same drives back", async () => {
    const closed = once(line.port, "close");
    expect((await post("/links/line_a/faults", { kind: "unplug" })).body).toMatchObject({ plugged: false });
    await closed;
    expect(existsSync(join(dir, "line_a"))).toBe(false);
    expect((await post("/links/line_a/faults", { kind: "replug" })).body).toMatchObject({ plugged: true });
    line = await openLine();
    expect(await read()).toHaveLength(7);
  });

  test("a drive that loses its mains is silent while it boots", async () => {
    await post("/drives/x1/faults", { kind: "power-cycle" });
    expect((await get("/drives/x1")).body["answering"]).toBe(false);
    expect(await silent()).toHaveLength(0);
    await expect.poll(async () => (await get("/drives/x1")).body["answering"]).toBe(true);
    expect(await read()).toHaveLength(7);
  });
});

describe("on TCP", () => {
  const port = () => ready.links.find(({ id }) => id === "cell_1")?.port ?? 0;
  const STATUSWORD = Buffer.from("1234000000 06FF0360410001".replaceAll(" ", ""), "hex");
  let socket: Socket;

  beforeAll(async () => {
    socket = connect(port(), "127.0.0.1");
    await once(socket, "connect");
  });
  afterAll(() => void socket.destroy());

  test("the transaction id comes back with the statusword", async () => {
    expect((await collect(socket, STATUSWORD, 11, WAIT_MS)).toString("hex")).toBe("123400000005ff03020250");
  });

  test("two requests in one segment, cut anywhere, are both answered", async () => {
    const both = Buffer.concat([STATUSWORD, STATUSWORD]);
    socket.write(both.subarray(0, 15));
    expect(await collect(socket, both.subarray(15), 22, WAIT_MS)).toHaveLength(22);
  });

  test("another unit is not answered", async () => {
    const other = Buffer.from(STATUSWORD);
    other[6] = 1;
    expect(await collect(socket, other, 1, 50)).toHaveLength(0);
  });

  test("a wrong CRC cannot be asked of TCP", async () => {
    expect(await post("/drives/z1/faults", { kind: "wrong-crc" })).toMatchObject({
      status: 400,
      body: { error: "no-crc-on-tcp" },
    });
  });

  test("a broken header ends the connection", async () => {
    // Closed with bytes unread it is reset, which is an end, too.
    const broken = connect(port(), "127.0.0.1").on("error", () => undefined);
    broken.write(Buffer.from("000100070006FF0360410001", "hex"));
    await new Promise((resolve) => broken.once("close", resolve));
  });

  test("an unplugged port refuses connections and comes back under the same number", async () => {
    const before = port();
    socket.on("error", () => {});
    await post("/links/cell_1/faults", { kind: "unplug" });
    const refused = connect(before, "127.0.0.1");
    expect(await new Promise((resolve) => refused.once("error", resolve))).toMatchObject({ code: "ECONNREFUSED" });
    expect((await post("/links/cell_1/faults", { kind: "replug" })).body).toMatchObject({
      plugged: true,
      port: before,
    });
    socket = connect(before, "127.0.0.1");
    expect(await collect(socket, STATUSWORD, 11, WAIT_MS)).toHaveLength(11);
  });

  test("a reset ends open connections and new ones work", async () => {
    const ended = new Promise((resolve) => socket.once("error", resolve));
    await post("/links/cell_1/faults", { kind: "reset-connection" });
    expect(await ended).toMatchObject({ code: "ECONNRESET" });
    socket = connect(port(), "127.0.0.1");
    expect(await collect(socket, STATUSWORD, 11, WAIT_MS)).toHaveLength(11);
  });
});

describe("the control port", () => {
  test("lists drives and links with their addresses", async () => {
    const drives = (await get("/drives")).body["drives"] as { id: string }[];
    expect(drives.map(({ id }) => id)).toEqual(["x1", "x2", "z1"]);
    expect((await get("/links/line_a")).body).toMatchObject({ kind: "modbus-rtu", path: join(dir, "line_a") });
  });

  test.each([
    ["GET", "/drives/none", undefined, 404, "no-such-drive"],
    ["GET", "/links/none", undefined, 404, "no-such-link"],
    ["GET", "/", undefined, 404, "no-such-route"],
    ["GET", "/drives/x1?afterSeq=-1", undefined, 400, "bad-after-seq"],
    ["DELETE", "/drives/x1", undefined, 405, "wrong-method"],
    ["POST", "/drives/x1/faults", "{", 400, "bad-json"],
    ["POST", "/drives/x1/faults", '{"kind":"rust"}', 400, "bad-fault"],
    ["POST", "/drives/x1/faults", '{"kind":"silence","tims":3}', 400, "bad-fault"],
    ["POST", "/links/line_a/faults", '{"kind":"reset-connection"}', 400, "no-connection"],
    ["POST", "/links/line_a/faults", '{"kind":"garbage","hex":"xyz"}', 400, "bad-fault"],
  ])("%s %s %s is refused with %i %s", async (method, path, body, status, error) => {
    const response = await fetch(`${ready.control}${path}`, { method, ...(body === undefined ? {} : { body }) });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
  });

  test("a blocked shaft, a dead switch and a push reach the machine", async () => {
    await post("/drives/z1/faults", { kind: "blocked-shaft" });
    expect((await get("/drives/z1")).body["plant"]).toMatchObject({ blocked: true });
    await post("/drives/z1/faults", { kind: "clear" });
    expect((await post("/drives/z1/faults", { kind: "push", counts: 70 })).body["plant"]).toMatchObject({
      position: 70,
      blocked: false,
    });
  });
});

describe.runIf(needs("mbpoll"))("a foreign master", () => {
  // Its usual second for an answer is short on a busy host; ten are the most it takes.
  const mbpoll = (args: string[]) => promisify(execFile)("mbpoll", ["-o", "10", ...args]);

  test("mbpoll reads a path-table drive on the line", async () => {
    const at = ["-m", "rtu", "-b", "115200", "-P", "none", "-0", "-B", "-1"];
    const { stdout } = await mbpoll([...at, "-a", "2", "-t", "4:int", "-r", String(0x602c), join(dir, "line_a")]);
    expect(stdout).toMatch(/\[24620\]:\s+0$/m);
    const revolution = await mbpoll([...at, "-a", "2", "-t", "4", "-r", "1", join(dir, "line_a")]);
    expect(revolution.stdout).toMatch(/\[1\]:\s+10000$/m);
  });

  test("mbpoll writes and reads a CiA 402 drive on TCP", async () => {
    const port = String(ready.links.find(({ id }) => id === "cell_1")?.port);
    const at = ["-m", "tcp", "-p", port, "-a", "255", "-0", "-1"];
    const { stdout } = await mbpoll([...at, "-t", "4:hex", "-r", String(0x6041), "127.0.0.1"]);
    expect(stdout).toMatch(/\[24641\]:\s+0x0250$/m);
    // A 32-bit write of one value is FC10 of two registers; function 06 does not exist on this drive.
    await mbpoll([...at, "-t", "4:int", "-r", String(0x607a), "127.0.0.1", "70000"]);
    const target = await mbpoll([...at, "-t", "4:int", "-r", String(0x607a), "127.0.0.1"]);
    expect(target.stdout).toMatch(/\[24698\]:\s+70000$/m);
    await expect(mbpoll([...at, "-t", "4", "-r", String(0x605a), "127.0.0.1", "6"])).rejects.toThrow(
      /Illegal function/,
    );
  });
});

describe("as a process", () => {
  test("a child leaves Ctrl-C to its parent and ends cleanly on SIGTERM", async () => {
    writeFileSync(join(dir, "links.yaml"), LINKS.replace("path: line_a", "path: line_b"));
    const { child } = await startSim({ SERVOFLEET_CHILD: "1" });
    expect(existsSync(join(dir, "line_b"))).toBe(true);
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(existsSync(join(dir, "line_b"))).toBe(false);
  });

  test("Ctrl-C alone ends it with 0", async () => {
    const { child } = await startSim();
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test.each([
    ["a wrong word", LINKS.replace("leadshine-icl-rs", "leadshine"), "leadshine-icl-rs"],
    ["a unit twice", LINKS.replace("unit: 2", "unit: 1"), "unit 1 on line_a"],
    ["no YAML", "links: [", "readable YAML"],
  ])("%s in LINKS.yaml is named, exit code 2, nothing opened", async (_, text, named) => {
    const file = join(dir, "wrong.yaml");
    writeFileSync(file, text);
    const run = promisify(execFile)(process.execPath, [MAIN, file]);
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(named) });
  });

  test("a path that is a real file is left alone", async () => {
    writeFileSync(join(dir, "line_c"), "mine");
    const file = join(dir, "taken.yaml");
    writeFileSync(file, LINKS.replace("path: line_a", "path: line_c"));
    const run = promisify(execFile)(process.execPath, [MAIN, file]);
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("path-taken") });
    expect(readFileSync(join(dir, "line_c"), "utf8")).toBe("mine");
  });
});
