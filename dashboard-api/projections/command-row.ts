import {
  COMMAND_FRAMES_MAX_BYTES,
  type CommandState,
  type CommandType,
  type Frame,
  type ProblemFacts,
} from "@servofleet/contracts";

/** One command as the log tells it. Times in wall microseconds, positions in display units. */
export interface CommandRow {
  readonly commandId: string;
  readonly axis: string;
  readonly type: CommandType;
  /** The body as asked, without its `type`. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly state: CommandState;
  readonly outcomeUnknown: boolean;
  readonly settled: string | null;
  readonly principal: string;
  readonly target: number | null;
  readonly finalError: number | null;
  readonly problem: ProblemFacts | null;
  /** Why it expired, was cancelled, superseded or stopped, or stayed indeterminate. */
  readonly reason: string | null;
  readonly transitions: readonly {
    readonly state: CommandState;
    readonly us: number;
    readonly position: number;
    readonly eventId: string;
  }[];
  readonly frames: readonly Frame[];
  /** Wall time and log position of the first event. */
  readonly firstUs: number;
  readonly firstPosition: number;
}

const bytesOf = (frames: readonly Frame[]) => frames.reduce((sum, frame) => sum + frame.hex.length / 2, 0);
const same = (a: Frame, b: Frame) => a.at === b.at && a.direction === b.direction && a.hex === b.hex;

/**
 * Frames of a further report joined to the story: at most `COMMAND_FRAMES_MAX_BYTES`, dropping the newest first but
 * never the last. A report that repeats earlier frames adds nothing.
 */
export function joinFrames(story: readonly Frame[], more: readonly Frame[]): readonly Frame[] {
  const fresh = more.filter((frame) => !story.some((known) => same(known, frame)));
  if (fresh.length === 0) return story;
  const all = [...story, ...fresh];
  while (all.length > 1 && bytesOf(all) > COMMAND_FRAMES_MAX_BYTES) all.splice(Math.max(0, all.length - 2), 1);
  return all;
}
