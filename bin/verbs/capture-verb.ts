import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { open, problemOf, type Target, UnreachableError } from "./api-client.ts";
import type { Output } from "./output.ts";
import { ended, verbContext } from "./verb-context.ts";

const LIMIT_MS = 10_000;
/** More than any capture has (CAPTURE_FILE_MAX_BYTES); what sends more is no box. */
const ANSWER_MAX_BYTES = 8_388_608;
const TO_STDOUT = "-";

interface Capture {
  readonly bytes: Buffer;
  readonly name: string;
}

/** The file could not be written. */
class CaptureFileError extends Error {
  override readonly name = "CaptureFileError";
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(file: string, cause: NodeJS.ErrnoException) {
    super(`cannot write ${file} (${cause.code ?? cause.message})`);
    this.code = cause.code === "EEXIST" ? "file-exists" : "file-not-written";
    this.facts = { file };
    this.hint =
      cause.code === "EEXIST"
        ? "nothing was overwritten; name another file with --out"
        : "name another file with --out";
  }
}

/** `capture LINK [--out FILE]`. */
export function addCaptureVerb(program: Command): void {
  program
    .command("capture <link>")
    .description("the last frames of a link as a pcapng file that Wireshark opens")
    .option("--out <file>", "write here, - for stdout; never overwrites (default: link and time)")
    .action((link: string, options: { out?: string }, command: Command) => {
      const { target, out } = verbContext(command);
      return ended(captureLink(target, out, link, options.out));
    });
}

/**
 * `capture LINK`: the last frames of a link as a file for Wireshark. An existing file is never overwritten.
 * @throws RefusedError | UnreachableError | CaptureFileError
 */
async function captureLink(target: Target, out: Output, link: string, file?: string): Promise<number> {
  const { bytes, name } = await fetchCapture(target, `/v1/links/${encodeURIComponent(link)}/capture`, `${link}.pcapng`);
  if (file === TO_STDOUT) {
    await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
    return 0;
  }
  const written = file ?? name;
  try {
    await writeFile(written, bytes, { flag: "wx" });
  } catch (error) {
    throw new CaptureFileError(written, error as NodeJS.ErrnoException);
  }
  out.show({ file: written, bytes: bytes.length }, () => `${written}: ${bytes.length} bytes; open it with Wireshark`);
  return 0;
}

function fetchCapture(target: Target, path: string, fallback: string): Promise<Capture> {
  return new Promise((resolve, reject) => {
    const outgoing = open(target, "GET", path, {});
    outgoing.setTimeout(LIMIT_MS, () => outgoing.destroy(new UnreachableError(target, "no answer in time")));
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      reject(error instanceof UnreachableError ? error : new UnreachableError(target, error.code ?? error.message)),
    );
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > ANSWER_MAX_BYTES) outgoing.destroy(new UnreachableError(target, "no end of the answer"));
      });
      incoming.on("error", (error) => reject(new UnreachableError(target, error.message)));
      incoming.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const status = incoming.statusCode ?? 0;
        const problem = problemOf(status, bytes.toString("utf8"));
        if (problem) reject(problem);
        else if (status !== 200) reject(new UnreachableError(target, `status ${status}, which is no capture`));
        else resolve({ bytes, name: fileName(incoming.headers["content-disposition"]) ?? fallback });
      });
    });
    outgoing.end();
  });
}

/** The name that the box suggests; never a path. */
function fileName(disposition: string | undefined): string | undefined {
  const name = /filename="([\w.-]+)"/.exec(disposition ?? "")?.[1];
  return name === undefined ? undefined : basename(name);
}
