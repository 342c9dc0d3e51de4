import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stayAwake } from "./stay-awake.ts";

const openFiles = (): string[] =>
  readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });

test("a latency of 0 is asked for as the four bytes the kernel takes, and held until it is let go", () => {
  const directory = mkdtempSync(join(tmpdir(), "servofleet-awake-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const device = join(directory, "cpu_dma_latency");
  const release = stayAwake(device);
  expect([...readFileSync(device)]).toEqual([0, 0, 0, 0]);
  const held = () => openFiles().includes(device);
  expect(held()).toBe(true);
  release?.();
  expect(held()).toBe(false);
});

test("where the device may not be opened the process goes on as it is", () => {
  expect(stayAwake("/nowhere/cpu_dma_latency")).toBeNull();
});
