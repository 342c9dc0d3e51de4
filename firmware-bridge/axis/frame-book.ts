import { COMMAND_FRAMES_MAX_BYTES, type Frame } from "@servofleet/contracts";

/** At most this many frames in one report (the event schema's bound). */
const FRAMES_PER_REPORT_MAX = 64;
/** Kept back for the last frames, so that the confirmation always finds room. */
const LAST_FRAMES_BYTES = 256;

const sizeOf = (frames: readonly Frame[]): number => frames.reduce((sum, frame) => sum + frame.hex.length / 2, 0);

/** The frames of one command over all of its reports: each is told once, all together at most COMMAND_FRAMES_MAX_BYTES. */
export class FrameBook {
  #waiting: Frame[] = [];
  #spent = 0;

  /** Keeps frames for the next report; what does not fit is dropped, the newest first. */
  add(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const bytes = sizeOf([frame]);
      if (this.#waiting.length >= FRAMES_PER_REPORT_MAX) return;
      if (this.#spent + bytes > COMMAND_FRAMES_MAX_BYTES - LAST_FRAMES_BYTES) return;
      this.#spent += bytes;
      this.#waiting.push(frame);
    }
  }

  /** What a report carries now. */
  take(): readonly Frame[] {
    const frames = this.#waiting;
    this.#waiting = [];
    return frames;
  }

  /** For the last report: what waits and the frames that prove the end. */
  takeLast(proof: readonly Frame[]): readonly Frame[] {
    const waiting = this.take();
    const last = proof.slice(-(FRAMES_PER_REPORT_MAX - waiting.length) || FRAMES_PER_REPORT_MAX);
    const room = COMMAND_FRAMES_MAX_BYTES - this.#spent;
    return sizeOf(last) <= room ? [...waiting, ...last] : waiting;
  }
}
