import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";

const PARTS = fileURLToPath(new URL("../scripts/native-parts.mjs", import.meta.url));
const HOOK = new URL("./one-file-libraries.ts", import.meta.url).href;

/** What a process says that asks for a library with the hook, and one without. */
function told(code: string, hooked: boolean): string {
  const before = hooked ? `(await import(${JSON.stringify(HOOK)})).useOneFileLibraries();` : "";
  const args = ["--input-type=module", "--no-warnings", "-e", `${before}${code}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: import.meta.dirname });
  expect(stderr).toBe("");
  return stdout;
}

beforeAll(() => {
  expect(spawnSync(process.execPath, [PARTS]).status).toBe(0);
});

it.each(["typebox", "typebox/compile", "typebox/value", "yaml", "prom-client"])(
  "%s comes from one file, with the names of its package",
  (specifier) => {
    const where = `console.log(import.meta.resolve("${specifier}"));`;
    expect(told(where, true)).toContain("/.cache/servofleet-libraries/");
    expect(told(where, false)).not.toContain("/.cache/");
    const names = `process.stdout.write(Object.keys(await import("${specifier}")).filter((name) => name !== "module.exports").join());`;
    // Node sees at most the names that a CommonJS package shows in its text; the file may show all it exports.
    expect(told(names, true).split(",")).toEqual(expect.arrayContaining(told(names, false).split(",")));
  },
);

it("knows a schema's kind across the files of one package", () => {
  const check = `const { default: Type } = await import("typebox"); const { Compile } = await import("typebox/compile");
    console.log(Compile(Type.Object({ id: Type.String({ minLength: 2 }) })).Errors({ id: "x" })[0].keyword);`;
  expect(told(check, true)).toBe("minLength\n");
});
