#!/usr/bin/env node
// Makes the native parts ready after `npm ci`, which runs no foreign install script (.npmrc): the SQLite driver is
// compiled from the source that npm brought, against the headers in the pinned Node package. Nothing is downloaded.
// Plain JavaScript on purpose: this file runs on whatever Node (>= 20) the machine has. Done once, then one file read.

import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureOneFileLibraries } from "./one-file-libraries.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
const SQLITE = join(MODULES, "sqlite3");
const STAMP = join(SQLITE, "build", "servofleet-native-parts.txt");
const LOCK = join(MODULES, ".servofleet-native-parts.lock");
const BUILD_LIMIT_MS = 10 * 60_000;
const CHECK_LIMIT_MS = 20_000;
const LOCK_POLL_MS = 200;

/** Code and words for a person who has to do something before the product can run. */
export class NativePartsError extends Error {
  constructor(code, facts, hint) {
    super(`${code}: ${facts}\n  ${hint}`);
    this.name = "NativePartsError";
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

/** Path of the Node that the lockfile pins. Throws NativePartsError when this platform has none or `npm ci` did not run. */
export function pinnedNode() {
  const name = `node-linux-${process.arch}`;
  const node = join(MODULES, name, "bin", "node");
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    throw new NativePartsError(
      "platform-unsupported",
      `this is ${process.platform} on ${process.arch}`,
      "Servofleet runs on Linux with glibc, on x64 or arm64 (for example Debian 12 or Ubuntu 24.04).",
    );
  }
  if (!existsSync(node)) {
    throw new NativePartsError("not-installed", `${name} is missing`, "Run `npm ci` in the project folder first.");
  }
  return node;
}

/** Builds what is missing, checks that it loads, and returns the path of the pinned Node. */
export function ensureNativeParts() {
  const node = pinnedNode();
  linkNode(node);
  buildDriver(node);
  ensureOneFileLibraries(node);
  return node;
}

function buildDriver(node) {
  const wanted = stampText(node);
  if (isReady(wanted)) return;
  takeLock();
  try {
    if (isReady(wanted)) return;
    if (!loads(node)) build(node);
    if (!loads(node)) {
      throw new NativePartsError(
        "does-not-load",
        "sqlite3 or serialport was built but cannot be loaded",
        "Run `npm ci` again; glibc 2.28 or newer is needed.",
      );
    }
    mkdirSync(dirname(STAMP), { recursive: true });
    writeFileSync(STAMP, wanted);
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/**
 * Puts the pinned Node first on the PATH of npm's scripts. npm 11 does that by itself; npm 10 takes the link away again
 * together with the package for the other processor, whose program has the same name.
 */
function linkNode(node) {
  const link = join(MODULES, ".bin", "node");
  try {
    if (realpathSync(link) === realpathSync(node)) return;
  } catch {
    // No link, or one that points nowhere: both are made anew.
  }
  const fresh = `${link}.${process.pid}`;
  symlinkSync(relative(dirname(link), node), fresh);
  renameSync(fresh, link);
}

function stampText(node) {
  const version = (name) => JSON.parse(readFileSync(join(MODULES, name, "package.json"), "utf8")).version;
  return `sqlite3 ${version("sqlite3")}, ${dirname(dirname(node)).split("/").at(-1)} ${version(`node-linux-${process.arch}`)}\n`;
}

function isReady(wanted) {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted;
}

function loads(node) {
  const check = 'require("sqlite3"); require("@serialport/bindings-cpp")';
  return spawnSync(node, ["-e", check], { cwd: ROOT, stdio: "ignore", timeout: CHECK_LIMIT_MS }).status === 0;
}

function build(node) {
  refuseWithoutCompiler();
  const nodedir = dirname(dirname(node));
  process.stderr.write("building the SQLite driver from source (once, one to two minutes) ...\n");
  const args = [join(MODULES, "node-gyp", "bin", "node-gyp.js"), "rebuild", `--nodedir=${nodedir}`, "--jobs=max"];
  const run = spawnSync(node, args, {
    cwd: SQLITE,
    encoding: "utf8",
    env: buildEnvironment(nodedir),
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: BUILD_LIMIT_MS,
  });
  if (run.status === 0) return;
  const tail = `${run.stdout ?? ""}\n${run.stderr ?? ""}`.trim().split("\n").slice(-30).join("\n");
  throw new NativePartsError(
    "build-failed",
    `node-gyp ended with ${run.status ?? run.signal}\n${tail}`,
    "Check the compiler (g++ 10 or newer), make, python3 and the free disk space.",
  );
}

function refuseWithoutCompiler() {
  const missing = ["gcc", "g++", "make", "python3"].filter((tool) => !onPath(tool));
  if (missing.length === 0) return;
  throw new NativePartsError(
    "compiler-missing",
    `the SQLite driver is compiled on this machine, and ${missing.join(", ")} cannot be found`,
    "On Debian or Ubuntu: apt-get install -y --no-install-recommends gcc g++ make python3",
  );
}

function onPath(tool) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** node-gyp lets npm_config_* from the environment win over its own arguments: a foreign `nodedir` must not. */
function buildEnvironment(nodedir) {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_(config|package)_/i.test(name));
  return { ...Object.fromEntries(kept), PATH: `${join(nodedir, "bin")}${delimiter}${process.env.PATH ?? ""}` };
}

/** Two `npm` calls at once must not compile into one folder; a lock whose owner is gone is nobody's. */
function takeLock() {
  const until = performance.now() + BUILD_LIMIT_MS;
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw lockError(error);
    }
    if (lockIsStale()) rmSync(LOCK, { force: true });
    else if (performance.now() > until)
      throw new NativePartsError("build-locked", "another build does not end", `Remove ${LOCK} when no build runs.`);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

function lockError(error) {
  return new NativePartsError("not-writable", String(error.message), "Run this once as the user who ran `npm ci`.");
}

function lockIsStale() {
  try {
    const pid = Number(readFileSync(LOCK, "utf8"));
    if (!Number.isInteger(pid) || pid <= 0) return Date.now() - statSync(LOCK).mtimeMs > CHECK_LIMIT_MS;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH" || error.code === "ENOENT";
  }
}

if (process.argv[1] && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) {
  try {
    ensureNativeParts();
  } catch (error) {
    if (!(error instanceof NativePartsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
