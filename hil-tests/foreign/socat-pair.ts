import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startForeign } from "./foreign-process.ts";

/** Two serial devices with a cable between them: each end is a tty that any program can open. */
export interface SocatPair {
  readonly one: string;
  readonly other: string;
  end(): Promise<void>;
}

/** Makes the pair in a directory of its own. */
export async function socatPair(): Promise<SocatPair> {
  const directory = mkdtempSync(join(tmpdir(), "cable-"));
  const [one, other] = [join(directory, "one"), join(directory, "other")];
  const socat = await startForeign(
    "socat",
    ["-d", "-d", `pty,raw,echo=0,link=${one}`, `pty,raw,echo=0,link=${other}`],
    /starting data transfer loop/,
  );
  return {
    one,
    other,
    end: async () => {
      await socat.end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
