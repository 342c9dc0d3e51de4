import { clockTime, element, figure } from "./text.js";

const SHOWN = 8;
const BAD = new Set(["failed", "indeterminate", "rejected", "expired"]);

/** The newest commands of one axis; read again when told, never twice at once. */
export class CommandList {
  /** @type {import("./api.js").Box} */
  #box;
  /** @type {HTMLElement} */
  #list;
  /** @type {(commandId: string) => void} */
  #onStory;
  #axis = "";
  #reading = false;
  #again = false;

  /**
   * @param {import("./api.js").Box} box
   * @param {HTMLElement} list
   * @param {(commandId: string) => void} onStory
   */
  constructor(box, list, onStory) {
    this.#box = box;
    this.#list = list;
    this.#onStory = onStory;
  }

  /** @param {string} axis */
  async show(axis) {
    if (axis !== this.#axis) this.#list.replaceChildren();
    this.#axis = axis;
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    while (this.#again && !document.hidden) {
      this.#again = false;
      const read = this.#axis;
      const page = await this.#box.read(`/v1/commands?axis=${read}&limit=${SHOWN}`).catch(() => null);
      // Without an answer the old list stays; the page as a whole says that it is blind.
      if (page && read === this.#axis) this.#list.replaceChildren(...page.items.map(this.#row, this));
    }
    this.#reading = false;
  }

  /** @param {import("@servofleet/contracts").CommandView} command */
  #row(command) {
    const link = element("button", { class: "link", type: "button", "data-story": command.commandId }, command.type);
    link.addEventListener("click", () => this.#onStory(command.commandId));
    const at = command.transitions[0]?.at;
    return element(
      "li",
      {},
      element("time", {}, at ? clockTime(at).slice(0, 8) : ""),
      link,
      element("span", { class: "target" }, command.target === null ? "" : figure(command.target)),
      element(
        "span",
        { class: BAD.has(command.state) ? "flag bad" : "quiet" },
        command.outcomeUnknown ? `${command.state}, outcome unknown` : command.state,
      ),
    );
  }
}
