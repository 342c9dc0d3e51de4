import { Refused, words } from "./api.js";
import { secondsTime } from "./text.js";

/** The box answers a stop within 1 s; the rest is the way there and back on a busy machine. */
const ANSWER_LIMIT_MS = 3000;
/** A stop that did not get through is sent again: twice stopped is stopped. */
const ATTEMPTS = 4;
const AGAIN_AFTER_MS = 400;
const TREAT_AS_MOVING = "Treat as moving and use the hard-wired circuit.";

/** Sends stops and says in the header what became of them. */
export class StopDesk {
  /** @type {import("./api.js").Box} */
  #box;
  /** @type {HTMLElement} */
  #line;
  /** Frees what stands between a stop and the box. @type {(() => void) | null} */
  beforeSend = null;
  #newest = 0;

  /**
   * @param {import("./api.js").Box} box
   * @param {HTMLElement} line
   */
  constructor(box, line) {
    this.#box = box;
    this.#line = line;
  }

  /**
   * @param {string} path
   * @param {string} what whom the stop is for, in words
   */
  async stop(path, what) {
    const mine = ++this.#newest;
    this.beforeSend?.();
    this.#say(mine, false, `Stop of ${what} sent, waiting for the drives`);
    for (let attempt = 1; ; attempt++) {
      try {
        const { items } = await this.#box.stop(path, ANSWER_LIMIT_MS);
        return this.#tell(mine, items);
      } catch (error) {
        // A newer press has taken over: two that repeat themselves help nobody.
        if (mine !== this.#newest) return;
        const final = attempt === ATTEMPTS || (error instanceof Refused && error.status < 500);
        this.#say(
          mine,
          true,
          `The stop of ${what} did not get through${final ? "" : ", trying again"}. ${words(error)} ${TREAT_AS_MOVING}`,
        );
        if (final) return;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
        if (mine !== this.#newest) return;
      }
    }
  }

  /**
   * @param {number} mine
   * @param {import("@servofleet/contracts").StopView["items"]} items
   */
  #tell(mine, items) {
    const open = items.filter((item) => item.result !== "acknowledged");
    const done = items.filter((item) => item.result === "acknowledged").map((item) => item.axis);
    const time = secondsTime(Date.now() / 1000);
    if (open.length === 0) return this.#say(mine, false, `${time} stop acknowledged by ${done.join(", ")}`);
    const names = open.map(({ axis }) => axis).join(", ");
    const why = open
      .map((item) => `${item.axis} ${item.result}${item.problem ? `, ${item.problem.detail}` : ""}`)
      .join("; ");
    const rest = done.length === 0 ? "" : ` Acknowledged by ${done.join(", ")}.`;
    this.#say(mine, true, `${time} stop NOT confirmed by ${names}. ${TREAT_AS_MOVING} (${why}.)${rest}`);
  }

  /**
   * @param {number} mine
   * @param {boolean} bad
   * @param {string} text
   */
  #say(mine, bad, text) {
    if (mine !== this.#newest) return;
    this.#line.className = bad ? "bad" : "";
    this.#line.textContent = text;
  }
}
