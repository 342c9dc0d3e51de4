import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const PROBE_LIMIT_MS = 20_000;
const HEADERS = "/usr/include";

/** Debian's own interpreter: its python3-* packages are invisible to any other one that may come first on the PATH. */
export const DEBIAN_PYTHON = "/usr/bin/python3";

/** A program, Python module or C header that a test host has besides npm's packages, and the Debian package that brings it. */
type TestTool = { debianPackage: string; needed: string } & (
  | { command: string }
  | { pythonModule: string }
  | { header: string }
);

/** Foreign masters, slaves, dissectors, brokers and browsers: none of them written here, so that mistakes show. */
export const TEST_TOOLS = {
  "nats-server": { command: "nats-server", debianPackage: "nats-server", needed: "the NATS adapter of the bus" },
  chromium: { command: "chromium", debianPackage: "chromium", needed: "the dashboard in a browser" },
  mbpoll: { command: "mbpoll", debianPackage: "mbpoll", needed: "a foreign Modbus master on the simulated drives" },
  tshark: { command: "tshark", debianPackage: "tshark", needed: "a foreign dissector for our frames" },
  socat: { command: "socat", debianPackage: "socat", needed: "pairs of ptys between foreign programs" },
  pymodbus: { pythonModule: "pymodbus", debianPackage: "python3-pymodbus", needed: "a foreign Modbus server" },
  pyserial: { pythonModule: "serial", debianPackage: "python3-serial", needed: "pymodbus on a serial line" },
  "pyserial-asyncio": {
    pythonModule: "serial_asyncio",
    debianPackage: "python3-serial-asyncio",
    needed: "pymodbus on a serial line",
  },
  "libmodbus-dev": {
    header: "modbus/modbus.h",
    debianPackage: "libmodbus-dev",
    needed: "a foreign master in C on the paced line",
  },
} as const satisfies Record<string, TestTool>;

export type TestToolName = keyof typeof TEST_TOOLS;
export const TEST_TOOL_NAMES = Object.keys(TEST_TOOLS) as readonly TestToolName[];

/** Looks on this machine, each time anew; a Python module counts when Debian's own interpreter finds it. */
export function hasTool(name: TestToolName): boolean {
  const tool: TestTool = TEST_TOOLS[name];
  if ("command" in tool) return isOnPath(tool.command);
  return "header" in tool ? existsSync(join(HEADERS, tool.header)) : hasPythonModule(tool.pythonModule);
}

function isOnPath(command: string): boolean {
  // Debian keeps some servers in sbin, which a plain user's PATH leaves out.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  return folders.some((folder) => isExecutable(join(folder, command)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function hasPythonModule(module: string): boolean {
  const find = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${module}") is None)`;
  return spawnSync(DEBIAN_PYTHON, ["-c", find], { stdio: "ignore", timeout: PROBE_LIMIT_MS }).status === 0;
}
