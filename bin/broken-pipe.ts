const OUTPUTS = [process.stdout, process.stderr] as const;

/** A reader that has seen enough (`axes | head -1`) ends a verb without a word. */
export function leaveOnBrokenPipe(): void {
  for (const output of OUTPUTS)
    output.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
}

/** A box does not end, and above all does not crash, because nobody reads what it says: the terminal may be closed. */
export function outliveBrokenPipes(): void {
  for (const output of OUTPUTS) {
    output.removeAllListeners("error");
    output.on("error", () => undefined);
  }
}
