import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataDirectoryError, dataPaths, prepareDataDirectories, SOCKET_PATH_MAX_BYTES } from "./data-paths.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "paths-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A directory whose longest socket path has so many bytes. */
function ofLength(bytes: number): string {
  const fixed = Buffer.byteLength(join(directory, "run", "controller.sock")) + 1;
  return join(directory, "é".repeat(Math.floor((bytes - fixed) / 2)) + "a".repeat((bytes - fixed) % 2));
}

const refusal = (data: string): string => {
  try {
    prepareDataDirectories(dataPaths(data));
  } catch (error) {
    if (error instanceof DataDirectoryError) return error.code;
    throw error;
  }
  return "taken";
};

test("the longest path that is taken holds a socket, counted in bytes; one more is refused", async () => {
  const data = ofLength(SOCKET_PATH_MAX_BYTES);
  expect(refusal(data)).toBe("taken");
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(dataPaths(data).controllerSocket, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
  expect(refusal(ofLength(SOCKET_PATH_MAX_BYTES + 1))).toBe("path-too-long");
});

test("directories are made level by level for owner and group, and made twice they are the same", () => {
  const data = join(directory, "a", "b");
  expect([refusal(data), refusal(data)]).toEqual(["taken", "taken"]);
  expect(statSync(dataPaths(data).run).mode & 0o007).toBe(0);
});

test("a file in the way and a place where nothing can be made are told apart", () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  expect(refusal(file)).toBe("not-a-directory");
  expect(refusal(join(file, "below"))).toBe("not-a-directory");
  expect(refusal("/proc/nowhere/deeper")).toBe("not-writable");
});
