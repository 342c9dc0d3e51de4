import { words } from "./api.js";
import { byId } from "./text.js";

/** Beats leave this much faster than the window needs: two may be lost. */
const BEAT_SHARE = 0.3;

/**
 * Hold-to-run: the axis runs while a button is held and is halted when it is let go, when the page is left, hidden or
 * closed, and by the box itself when no beat comes. A press that has ended never starts anything late.
 */
export class JogButtons {
  /** @type {import("./api.js").Box} */
  #box;
  /** @type {() => string} */
  #selected;
  /** Of the press under way; null when nothing is held.
   * @type {{button: HTMLElement, held: boolean} | null} */
  #press = null;

  /**
   * @param {import("./api.js").Box} box
   * @param {() => string} selected
   */
  constructor(box, selected) {
    this.#box = box;
    this.#selected = selected;
    for (const button of document.querySelectorAll("[data-jog]")) this.#listen(/** @type {HTMLElement} */ (button));
    for (const event of ["blur", "pagehide", "pointerup", "pointercancel", "keyup"])
      window.addEventListener(event, () => this.letGo());
    document.addEventListener("visibilitychange", () => document.hidden && this.letGo());
  }

  /** Whatever was held is not held any more. */
  letGo() {
    if (!this.#press) return;
    this.#press.held = false;
    this.#press.button.classList.remove("held");
    this.#press = null;
  }

  /** @param {HTMLElement} button */
  #listen(button) {
    button.addEventListener("pointerdown", (event) => event.button === 0 && this.#hold(button));
    button.addEventListener("pointerleave", () => this.letGo());
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if (event.repeat || (event.key !== " " && event.key !== "Enter")) return;
      event.preventDefault();
      this.#hold(button);
    });
  }

  /** @param {HTMLElement} button */
  async #hold(button) {
    this.letGo();
    const press = { button, held: true };
    this.#press = press;
    button.classList.add("held");
    const axis = this.#selected();
    try {
      await this.#run(axis, Number(button.getAttribute("data-jog")), press);
    } catch (error) {
      this.#say("bad", `Jog ${axis}: ${words(error)}`);
    }
    if (this.#press === press) this.letGo();
  }

  /**
   * @param {string} axis
   * @param {number} direction
   * @param {{held: boolean}} press
   */
  async #run(axis, direction, press) {
    const velocity = Number(/** @type {HTMLInputElement} */ (byId("jog-velocity")).value.replace(",", "."));
    this.#say("", `Jog ${axis}: hold the button`);
    let session = await this.#box.write(`/v1/axes/${axis}/jog`, { direction, velocity });
    const path = `/v1/jog/${session.id}`;
    try {
      while (press.held) {
        session = await this.#box.write(path, { seq: session.seq + 1, challenge: session.challenge }, "PUT");
        await new Promise((resolve) => setTimeout(resolve, session.beatMs * BEAT_SHARE));
      }
      this.#say("", `Jog ${axis}: let go`);
    } finally {
      // Also when a beat was refused: letting go twice harms nobody.
      await this.#box.end(path).catch(() => undefined);
    }
  }

  /**
   * @param {"" | "bad"} kind
   * @param {string} text
   */
  #say(kind, text) {
    const answer = byId("answer");
    answer.className = kind;
    answer.textContent = text;
  }
}
