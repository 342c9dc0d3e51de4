import {
  CAPTURE_FILE_MAX_BYTES,
  type CapturePart,
  type CaptureRequest,
  type Frame,
  type LinkId,
} from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { type CapturedLink, type LinkCapture, linkCapture } from "./link-capture.ts";
import { CAPTURE_SNAP_BYTES } from "./pcapng.ts";

/** Captures under way at once; the controller asks for fewer. More requests are not answered. */
export const CAPTURES_MAX = 4;
/**
 * Frames turned into bytes without a pause: some tens of microseconds, so that a stop never waits for a capture, and
 * fewer than CAPTURE_PART_MAX_BYTES whatever they hold.
 */
const FRAMES_PER_PART = 16;
const PAUSE_MS = 2;
/** A message that the bus does not take now is offered again this often before the capture is given up. */
const TRIES_MAX = 100;
/** Frames of one file: each of the longest kind with its header and flags, and the head. */
const FRAMES_MAX = Math.floor(CAPTURE_FILE_MAX_BYTES / (CAPTURE_SNAP_BYTES + 64)) - 1;

/** What a bridge needs for handing out captures. */
export interface CaptureParts {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly links: readonly CapturedLink[];
  /** Frames of a link, newest last; undefined when the bridge has no such link. */
  readonly frames: (link: LinkId) => readonly Frame[] | undefined;
}

/** Answers the controller's requests for captures in small pieces with pauses. Returns the function that ends it. */
export function serveCaptures({ bus, clock, links, frames }: CaptureParts): () => void {
  const running = new Map<string, Timer>();
  const run = (captureId: string, parts: CaptureFile): void => {
    const again = clock.after(
      PAUSE_MS,
      () => {
        const { index, last, base64 } = parts.current;
        const sent = bus.publish("captures", { captureId, index, last, base64 });
        if (sent ? parts.advance() : parts.mayTryAgain()) run(captureId, parts);
        else running.delete(captureId);
      },
      true,
    );
    running.set(captureId, again);
  };
  const end = bus.subscribe("capture-requests", ({ captureId, link }: CaptureRequest) => {
    const captured = links.find(({ id }) => id === link);
    const seen = frames(link);
    if (!captured || !seen || running.size >= CAPTURES_MAX || running.has(captureId)) return;
    run(captureId, new CaptureFile(linkCapture(captured), seen.slice(-FRAMES_MAX)));
  });
  return () => {
    end();
    for (const timer of running.values()) timer.cancel();
  };
}

type Part = Pick<CapturePart, "index" | "last" | "base64">;

/** A capture cut into parts; each is made when its turn comes, and once. */
class CaptureFile {
  readonly #capture: LinkCapture;
  readonly #frames: readonly Frame[];
  #next = 0;
  #tries = 0;
  current: Part;

  constructor(capture: LinkCapture, frames: readonly Frame[]) {
    this.#capture = capture;
    this.#frames = frames;
    this.current = this.#part(0, [capture.head]);
  }

  /** False when there is nothing more. */
  advance(): boolean {
    if (this.current.last) return false;
    this.current = this.#part(this.current.index + 1, []);
    this.#tries = 0;
    return true;
  }

  mayTryAgain(): boolean {
    this.#tries += 1;
    return this.#tries < TRIES_MAX;
  }

  #part(index: number, before: readonly Buffer[]): Part {
    const blocks = this.#frames.slice(this.#next, this.#next + FRAMES_PER_PART).map(this.#capture.block);
    this.#next += blocks.length;
    const base64 = Buffer.concat([...before, ...blocks]).toString("base64");
    return { index, last: this.#next === this.#frames.length, base64 };
  }
}
