import { read } from "./api.js";
import { byId, clockTime, element, figure } from "./text.js";

/** Shows the whole story of one command: what was asked, what became of it, and the bytes on the wire.
 * @param {string} commandId */
export async function showStory(commandId) {
  const command = await read(`/v1/commands/${encodeURIComponent(commandId)}`);
  byId("story-title").textContent = `${command.type} on ${command.axis}: ${command.state}`;
  const body = byId("story-body");
  body.replaceChildren(
    facts(command),
    element("h3", {}, "What became of it"),
    element(
      "ol",
      {},
      ...command.transitions.map((/** @type {any} */ step) =>
        element(
          "li",
          {},
          `${clockTime(step.at)}  ${step.state}  `,
          element("span", { class: "quiet" }, `log ${step.logPosition}`),
        ),
      ),
    ),
    element("h3", {}, "On the wire"),
    command.frames.length === 0
      ? element("p", { class: "quiet" }, "nothing was sent")
      : element(
          "ol",
          {},
          ...command.frames.map((/** @type {any} */ frame) =>
            element(
              "li",
              {},
              `${clockTime(frame.at)} ${frame.direction === "tx" ? "sent" : "received"} `,
              element("code", {}, frame.hex.replace(/(..)(?=.)/g, "$1 ")),
            ),
          ),
        ),
  );
  /** @type {HTMLDialogElement} */ (byId("story")).showModal();
}

/** @param {any} command */
function facts(command) {
  /** @type {[string, string][]} */
  const rows = [
    ["asked by", command.principal],
    ["request", JSON.stringify(command.request)],
    ["target", figure(command.target)],
    ["final error", figure(command.finalError)],
  ];
  if (command.outcomeUnknown) rows.push(["outcome", "unknown, it is being settled by reading the drive"]);
  if (command.settled) rows.push(["settled", command.settled]);
  if (command.problem)
    rows.push(
      ["ended with", `${command.problem.title}: ${command.problem.detail}`],
      ["what to do", command.problem.remedy],
    );
  rows.push(["id", command.commandId]);
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
