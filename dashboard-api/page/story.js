import { words } from "./api.js";
import { byId, clockTime, element, figure } from "./text.js";

/**
 * The story of one command, in a panel that is not modal: a modal one would take the stop buttons away from the mouse.
 */
export class StoryPanel {
  /** @type {import("./api.js").Box} */
  #box;
  #dialog = /** @type {HTMLDialogElement} */ (byId("story"));
  #commandId = "";
  /** Where the focus was, to give it back. @type {Element | null} */
  #opener = null;

  /** @param {import("./api.js").Box} box */
  constructor(box) {
    this.#box = box;
    byId("story-close").addEventListener("click", () => this.close());
  }

  /** @param {string} commandId */
  async open(commandId) {
    this.#commandId = commandId;
    if (!this.#dialog.open) {
      this.#opener = document.activeElement;
      this.#dialog.show();
    }
    byId("story-title").textContent = "Story";
    byId("story-body").replaceChildren();
    byId("story-close").focus();
    await this.#read();
  }

  /** Something was recorded about this command. @param {ReadonlySet<string | null>} commandIds */
  renew(commandIds) {
    if (this.#dialog.open && commandIds.has(this.#commandId)) this.#read();
  }

  close() {
    if (!this.#dialog.open) return;
    this.#dialog.close();
    if (this.#opener instanceof HTMLElement && this.#opener.isConnected) this.#opener.focus();
  }

  async #read() {
    const id = this.#commandId;
    try {
      const command = await this.#box.read(`/v1/commands/${encodeURIComponent(id)}`);
      if (id !== this.#commandId) return;
      byId("story-title").textContent = `${command.type} on ${command.axis}: ${command.state}`;
      byId("story-body").replaceChildren(...tell(command));
    } catch (error) {
      if (id === this.#commandId) byId("story-body").replaceChildren(element("p", { class: "bad" }, words(error)));
    }
  }
}

/** @param {import("@servofleet/contracts").CommandView} command */
function tell(command) {
  const steps = command.transitions.map((step) =>
    element(
      "li",
      {},
      element("time", {}, clockTime(step.at)),
      element("span", {}, step.state),
      element("span", { class: "quiet" }, `log ${step.logPosition}`),
    ),
  );
  const frames = command.frames.map((frame) =>
    element(
      "li",
      {},
      element("time", {}, clockTime(frame.at)),
      element("span", {}, frame.direction === "tx" ? "sent" : "received"),
      element("code", {}, frame.hex.replace(/(..)(?=.)/g, "$1 ")),
    ),
  );
  return [
    facts(command),
    element("h3", {}, "What became of it"),
    element("ol", { class: "steps" }, ...steps),
    element("h3", {}, "On the wire"),
    frames.length === 0
      ? element("p", { class: "quiet" }, "nothing was sent")
      : element("ol", { class: "frames" }, ...frames),
  ];
}

/** @param {import("@servofleet/contracts").CommandView} command */
function facts(command) {
  /** @type {[string, string][]} */
  const rows = [
    ["asked by", command.principal],
    ["request", JSON.stringify(command.request)],
    ["target", command.target === null ? "none" : figure(command.target)],
    ["final error", command.finalError === null ? "none" : figure(command.finalError)],
  ];
  if (command.outcomeUnknown) rows.push(["outcome", "unknown, it is being settled by reading the drive"]);
  if (command.settled) rows.push(["settled", command.settled]);
  if (command.problem)
    rows.push(
      ["ended with", `${command.problem.title}: ${command.problem.detail}`],
      ["what to do", command.problem.remedy],
    );
  if (command.reason) rows.push(["ended", command.reason]);
  rows.push(["id", command.commandId]);
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
