import { words } from "./api.js";
import { byId, element } from "./text.js";

/** The buttons and the form of the selected axis. What is not possible now the box refuses, and says what to do. */
export class AxisControls {
  /** @type {import("./api.js").Box} */
  #box;
  /** @type {() => string} */
  #selected;
  /** @type {(commandId: string) => void} */
  #onStory;
  /** Answers of an earlier wish must not overwrite that of a later one. */
  #asked = 0;

  /**
   * @param {import("./api.js").Box} box
   * @param {() => string} selected
   * @param {(commandId: string) => void} onStory
   */
  constructor(box, selected, onStory) {
    this.#box = box;
    this.#selected = selected;
    this.#onStory = onStory;
    for (const button of document.querySelectorAll("[data-command]"))
      button.addEventListener("click", () => this.#send("commands", { type: button.getAttribute("data-command") }));
    for (const button of document.querySelectorAll("[data-decision]"))
      button.addEventListener("click", () =>
        this.#send("reconcile", { decision: button.getAttribute("data-decision") }),
      );
    byId("move").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#move();
    });
  }

  /** Another axis: its units and limits are others, so nothing that was typed may stay. */
  clear() {
    this.#asked++;
    /** @type {HTMLFormElement} */ (byId("move")).reset();
    byId("answer").replaceChildren();
  }

  #move() {
    const position = typed("move-position");
    const velocity = typed("move-velocity");
    if (position === null) return this.#say("bad", "Move to: write a number, such as 120.5.");
    if (Number.isNaN(position) || Number.isNaN(velocity))
      return this.#say("bad", `${Number.isNaN(position) ? "Move to" : "at"}: this is not a number. Write it as 120.5.`);
    this.#send("commands", { type: "MoveAbsolute", position, ...(velocity === null ? {} : { velocity }) });
  }

  /**
   * @param {"commands" | "reconcile"} door
   * @param {{type?: string | null, decision?: string | null, position?: number, velocity?: number}} wish
   */
  async #send(door, wish) {
    const mine = ++this.#asked;
    const axis = this.#selected();
    const what = `${wish.type ?? wish.decision} ${axis}`;
    this.#say("", `${what}: sent`);
    try {
      const accepted = await this.#box.write(`/v1/axes/${axis}/${door}`, wish);
      if (mine !== this.#asked) return;
      this.#say("", `${what}: accepted. `);
      if (accepted.commandId) byId("answer").append(this.#link(accepted.commandId));
    } catch (error) {
      if (mine === this.#asked) this.#say("bad", `${what}: ${words(error)}`);
    }
  }

  /** @param {string} commandId */
  #link(commandId) {
    const link = element("button", { class: "link", type: "button" }, "what becomes of it");
    link.addEventListener("click", () => this.#onStory(commandId));
    return link;
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

/** What was typed as a number: null when nothing, NaN when something else. A comma is a decimal point as well.
 * @param {string} id */
function typed(id) {
  const text = /** @type {HTMLInputElement} */ (byId(id)).value.trim().replace(",", ".").replace("−", "-");
  return text === "" ? null : Number(text);
}
