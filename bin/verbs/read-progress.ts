import type { RebuildProgress } from "@servofleet/dashboard-api/read-model/rebuild";
import type { Clock } from "@servofleet/runtime/clock";
import type { Output } from "./output.ts";

const BAR_CELLS = 30;
const CLEAR_LINE = "\r\u001b[K";
/** Lines for those who read them later: one per tenth of the way. */
const TENTHS = 10;
/** Between two drawings of the bar. */
const DRAW_MS = 100;

export interface ProgressShow {
  progress(progress: RebuildProgress): void;
  /** Takes the bar away. */
  end(): void;
}

/** How a rebuild goes: a bar where somebody looks at it (`terminal`), else plain lines; one document per line with `--json`. */
export function progressShow(
  out: Output,
  clock: Clock,
  stream: NodeJS.WritableStream,
  terminal: boolean,
): ProgressShow {
  const startMs = clock.monotonicMs();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let told = "";
  const draw = (progress: RebuildProgress, part: number) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - drawnMs < DRAW_MS && part < 1) return;
    drawnMs = nowMs;
    const bar = "#".repeat(Math.floor(part * BAR_CELLS)).padEnd(BAR_CELLS, ".");
    const rate = Math.round((progress.position * 1000) / Math.max(1, nowMs - startMs));
    stream.write(
      `${CLEAR_LINE}[${bar}] ${stepWords(progress)}  ${progress.position}/${progress.newest}  ${rate} events/s`,
    );
  };
  return {
    progress(progress) {
      const part = progress.newest === 0 ? 1 : progress.position / progress.newest;
      if (terminal && !out.json) return draw(progress, part);
      const tenth = `${stepWords(progress)} ${Math.floor(part * TENTHS)}`;
      if (tenth === told) return;
      told = tenth;
      if (out.json) out.show({ progress }, () => "");
      else out.note(`${stepWords(progress)}: ${progress.position} of ${progress.newest} events`);
    },
    end: () => void (terminal && !out.json && stream.write(CLEAR_LINE)),
  };
}

const stepWords = ({ step, projection }: RebuildProgress): string =>
  projection === null ? step : `${step} ${projection}`;
