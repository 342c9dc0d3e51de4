import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { compiledProgram } from "./compiled-program.ts";

function cFile(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "c-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  // The directory for programs lies in the temporary one.
  vi.stubEnv("TMPDIR", directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  const path = join(directory, "hello.c");
  writeFileSync(path, text);
  return path;
}
const HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n';

test("a program is compiled once and runs", async () => {
  const source = cFile(HELLO);
  const program = await compiledProgram(source);
  expect(execFileSync(program, { encoding: "utf8" })).toBe("hello\n");
  expect(await compiledProgram(source)).toBe(program);
  writeFileSync(source, HELLO.replace("hello", "good day"));
  expect(await compiledProgram(source)).not.toBe(program);
});

test("a machine without a compiler is told what to install", async () => {
  const source = cFile(HELLO);
  vi.stubEnv("PATH", join(tmpdir(), "nowhere"));
  await expect(compiledProgram(source)).rejects.toMatchObject({
    code: "no-compiler",
    hint: expect.stringContaining("apt install gcc"),
  });
});

test("a missing header is said in the words of the compiler", async () => {
  const source = cFile("#include <no/such/header.h>\nint main(void) { return 0; }\n");
  await expect(compiledProgram(source)).rejects.toMatchObject({
    code: "not-compiled",
    facts: { said: expect.stringContaining("no/such/header.h") },
  });
});
