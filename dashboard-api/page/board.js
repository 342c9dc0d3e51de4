import { read, write } from "./api.js";
import { EventList } from "./event-list.js";
import { FleetTable } from "./fleet-table.js";
import { LivePlot } from "./plot.js";
import { showStory } from "./story.js";
import { age, byId, element, figure, stateWord } from "./text.js";

const REFRESH_MS = 1000;
const COMMANDS_SHOWN = 8;
const CONFIG_PAGES_MAX = 1000;
/** Without a live value or an answer for so long the page says that it is blind. */
const BLIND_AFTER_MS = 3000;

/** @type {Map<string, any>} */
const axes = new Map();
/** @type {Map<string, {min: number, max: number}>} */
const limits = new Map();
let selected = "";
let heardAtMs = 0;
let refreshing = false;
let refreshAgain = false;
let drawing = false;

const plot = new LivePlot(byId("plot"));
const table = new FleetTable(byId("axes"), select, (axis) => stop(`/v1/axes/${axis}/stop`));
const events = new EventList(byId("events"), (id) => showStory(id).catch(say));

byId("stop-all").addEventListener("click", () => stop("/v1/stop"));
// From anywhere on the page, also while typing: a stop is never in the way.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.repeat) stop("/v1/stop");
});
for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", () => send({ type: button.getAttribute("data-command") }));
}
byId("move").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id)).value;
  const velocity = value("move-velocity");
  send({
    type: "MoveAbsolute",
    position: Number(value("move-position")),
    ...(velocity === "" ? {} : { velocity: Number(velocity) }),
  });
});

/** @param {string} path */
async function stop(path) {
  byId("notice").hidden = true;
  try {
    const { items } = await write("POST", path);
    const open = items.filter((/** @type {any} */ item) => item.result !== "acknowledged");
    if (open.length > 0)
      notify(
        `Stop not confirmed by ${open.map((/** @type {any} */ item) => `${item.axis} (${item.result})`).join(", ")}. Treat as moving.`,
      );
    else
      byId("answer").textContent =
        `stop acknowledged by ${items.map((/** @type {any} */ item) => item.axis).join(", ")}`;
  } catch (error) {
    notify(
      `The stop was not passed on: ${error instanceof Error ? error.message : error}\nUse the hard-wired circuit. Treat all axes as moving.`,
    );
  }
  refresh();
}

/** @param {object} request */
async function send(request) {
  const answer = byId("answer");
  answer.className = "";
  try {
    const accepted = await write("POST", `/v1/axes/${selected}/commands`, request);
    answer.replaceChildren("accepted, ", storyLink(accepted.commandId, "see what becomes of it"));
  } catch (error) {
    say(error);
  }
  refresh();
}

/** @param {unknown} error */
function say(error) {
  const answer = byId("answer");
  answer.className = "bad";
  answer.textContent = error instanceof Error ? error.message : String(error);
}

/** @param {string} text */
function notify(text) {
  const notice = byId("notice");
  notice.hidden = false;
  notice.textContent = text;
}

/**
 * @param {string} id
 * @param {string} text
 */
function storyLink(id, text) {
  const link = element("button", { class: "link", type: "button", "data-story": id }, text);
  link.addEventListener("click", () => showStory(id).catch(say));
  return link;
}

/** @param {string} axis */
function select(axis) {
  selected = axis;
  byId("detail").hidden = false;
  byId("answer").textContent = "";
  plot.show(axis, axes.get(axis)?.unitName ?? "");
  drawAll();
  drawCommands();
}

function drawAll() {
  for (const axis of axes.values()) table.show(axis, limits.get(axis.id), axis.id === selected);
  const axis = axes.get(selected);
  if (!axis) return;
  byId("axis-name").textContent = axis.id;
  byId("axis-drive").textContent = `${axis.profile}, unit ${axis.unit} on ${axis.link}`;
  byId("axis-state").textContent =
    `${stateWord(axis.state)}${axis.stopLatched ? ", stop latched" : ""}${axis.homed ? "" : ", not homed"}`;
  byId("axis-fault").hidden = !axis.fault;
  byId("axis-fault").textContent = axis.fault
    ? `Fault ${axis.fault.code}, ${axis.fault.name}. ${axis.fault.remedy}`
    : "";
  for (const unit of document.querySelectorAll(".unit")) unit.textContent = axis.unitName;
  const aged = (/** @type {any} */ target) =>
    target ? `${figure(target.position, axis.unitName)}, ${age(target.ageMs)} ago` : "none";
  /** @type {[string, string][]} */
  const rows = [
    [
      "measured",
      `${figure(axis.measured.position, axis.unitName)}, ${age(axis.measured.ageMs)} ago, ${axis.measured.quality}`,
    ],
    ["velocity", figure(axis.measured.velocity, `${axis.unitName}/s`)],
    ["torque", figure(axis.measured.torque, "%")],
    ["commanded", aged(axis.commanded)],
    ["sent", aged(axis.sent)],
    ["acknowledged", aged(axis.acknowledged)],
  ];
  byId("figures").replaceChildren(
    ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

async function drawCommands() {
  const axis = selected;
  if (!axis) return;
  const { items } = await read(`/v1/commands?axis=${axis}&limit=${COMMANDS_SHOWN}`).catch(() => ({ items: [] }));
  if (axis !== selected) return;
  byId("commands").replaceChildren(
    ...items.map((/** @type {any} */ command) =>
      element(
        "li",
        {},
        storyLink(command.commandId, command.type),
        `${command.target === null ? "" : figure(command.target)} `,
        element(
          "span",
          { class: command.state === "failed" || command.state === "indeterminate" ? "flag bad" : "quiet" },
          command.state,
        ),
      ),
    ),
  );
}

/** Reads the fleet again; calls that come meanwhile become one more. */
async function refresh() {
  if (refreshing) {
    refreshAgain = true;
    return;
  }
  refreshing = true;
  try {
    const { items } = await read("/v1/axes?limit=200");
    heardAtMs = performance.now();
    for (const axis of items) axes.set(axis.id, axis);
    if (!selected && items.length > 0) select(items[0].id);
    drawAll();
    await drawCommands();
  } catch {
    showConnection();
  }
  refreshing = false;
  if (refreshAgain) {
    refreshAgain = false;
    refresh();
  }
}

/** One axis as it is now: the live stream sends the same picture as a read does. @param {any} axis */
function applyLive(axis) {
  axes.set(axis.id, axis);
  const { position, at } = axis.measured;
  if (at !== null) plot.add(axis.id, Date.parse(at) / 1000, position, axis.commanded?.position ?? null);
}

function showConnection() {
  const blind = performance.now() - heardAtMs > BLIND_AFTER_MS;
  const line = byId("connection");
  line.textContent = blind ? "no answer from the box: what you see is old" : "connected";
  line.className = blind ? "bad" : "";
  document.body.classList.toggle("blind", blind);
}

/** Pictures of many axes come together: the page is drawn once for all of them. */
function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawAll();
  });
}

function listen() {
  const live = new EventSource("/v1/live");
  live.addEventListener("message", (message) => {
    heardAtMs = performance.now();
    applyLive(JSON.parse(message.data));
    drawSoon();
  });
  events.listen(() => refresh());
}

/** Limits are part of the configuration, which is in the log like everything else; the newest one counts. */
async function readLimits() {
  let cursor = "0";
  for (let page = 0; page < CONFIG_PAGES_MAX && cursor !== null; page++) {
    const found = await read(`/v1/events?type=FleetConfigured&limit=200&afterPosition=${cursor}`);
    const config = found.items.at(-1)?.data.config;
    cursor = found.nextCursor;
    if (!config) continue;
    byId("box").textContent = config.box;
    for (const axis of config.axes) limits.set(axis.id, axis.limits);
  }
}

listen();
await refresh();
await readLimits().catch(say);
drawAll();
setInterval(refresh, REFRESH_MS);
setInterval(showConnection, REFRESH_MS / 2);
