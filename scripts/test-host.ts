// What `npm test` does before the first test: installs from Debian what this test host lacks, where it may (root on
// Debian, SERVOFLEET_NO_INSTALL unset). No service is started and none is left enabled. What stays missing is one line.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { hasTool, TEST_TOOL_NAMES, TEST_TOOLS, type TestToolName } from "../hil-tests/test-tool.ts";

const APT_LIMIT_MS = 10 * 60_000;
const POLICY_FILE = "/usr/sbin/policy-rc.d";
// invoke-rc.d asks this file before it starts a service; 101 means "not allowed" (Debian policy, invoke-rc.d).
const POLICY_DENY = "#!/bin/sh\nexit 101\n";
const SERVICES = ["nats-server"] as const;

type Packages = readonly string[];

function main(): void {
  const missing = TEST_TOOL_NAMES.filter((name) => !hasTool(name));
  if (missing.length === 0) return;
  const refusal = reasonNotToInstall();
  if (refusal === null) install(packagesOf(missing));
  reportMissing(refusal);
}

function reasonNotToInstall(): string | null {
  if (process.env["SERVOFLEET_NO_INSTALL"] === "1") return "SERVOFLEET_NO_INSTALL=1";
  if (!existsSync("/etc/debian_version") || !existsSync("/usr/bin/apt-get")) return "this is not Debian";
  if (process.getuid?.() !== 0) return "only root may install";
  return null;
}

function packagesOf(names: readonly TestToolName[]): Packages {
  return [...new Set(names.map((name) => TEST_TOOLS[name].debianPackage))];
}

function install(packages: Packages): void {
  console.log("the tests need these Debian packages, which are installed now (SERVOFLEET_NO_INSTALL=1 skips this):");
  for (const name of packages) console.log(`  ${name}`);
  const ownPolicy = denyServices();
  try {
    if (!apt("install", ...packages)) {
      apt("update");
      // One at a time now: a package that this release does not have must not keep the others away.
      if (!apt("install", ...packages)) for (const name of packages) apt("install", name);
    }
    disableServices(packages);
  } finally {
    if (ownPolicy) rmSync(POLICY_FILE, { force: true });
  }
}

/** True when the file is ours to remove: a container image or an operator may already have one. */
function denyServices(): boolean {
  if (existsSync(POLICY_FILE)) return false;
  writeFileSync(POLICY_FILE, POLICY_DENY, { mode: 0o755 });
  const leave = (code: number) => () => {
    rmSync(POLICY_FILE, { force: true });
    process.exit(code);
  };
  process.once("SIGINT", leave(130));
  process.once("SIGTERM", leave(143));
  return true;
}

function apt(verb: "install" | "update", ...packages: Packages): boolean {
  const options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"];
  const run = spawnSync("/usr/bin/apt-get", [...options, verb, "--no-install-recommends", ...packages], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", APT_LISTCHANGES_FRONTEND: "none", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: APT_LIMIT_MS,
  });
  if (run.status === 0) return true;
  const words = (run.stderr ?? "").trim().split("\n").slice(-3).join("\n  ");
  console.log(`apt-get ${verb} ended with ${run.status ?? run.signal}\n  ${words}`);
  return false;
}

/** policy-rc.d keeps a service from starting now; disabling keeps it from starting with the next boot. */
function disableServices(installed: Packages): void {
  if (!existsSync("/usr/bin/systemctl") && !existsSync("/bin/systemctl")) return;
  for (const service of SERVICES) {
    if (installed.includes(service)) spawnSync("systemctl", ["disable", "-q", "--now", service], { stdio: "ignore" });
  }
}

function reportMissing(refusal: string | null): void {
  const why = refusal ?? "apt-get could not install it";
  for (const name of TEST_TOOL_NAMES.filter((tool) => !hasTool(tool))) {
    const { debianPackage, needed } = TEST_TOOLS[name];
    console.log(`missing: ${name} (Debian package ${debianPackage}; ${why}), so this is not tested: ${needed}`);
  }
}

main();
