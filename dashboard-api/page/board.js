import { AlarmList } from "./alarm-list.js";
import { AxisControls } from "./axis-controls.js";
import { AxisPanel } from "./axis-panel.js";
import { CommandList } from "./command-list.js";
import { EventList, eventName } from "./event-list.js";
import { FleetPicture } from "./fleet-picture.js";
import { FleetTable } from "./fleet-table.js";
import { JogButtons } from "./jog.js";
import { openFeed } from "./open-feed.js";
import { LivePlot } from "./plot.js";
import { onEscape } from "./press.js";
import { box, stops } from "./stop-all.js";
import { StoryPanel } from "./story.js";
import { age, byId, setText } from "./text.js";

/** Ages go on and blindness is noticed also while nothing comes. */
const REDRAW_MS = 500;
const CONFIG_PAGES_MAX = 1000;

const picture = new FleetPicture();
let selected = "";
let drawing = false;
let configured = false;

const story = new StoryPanel(box);
const openStory = (/** @type {string} */ id) => story.open(id);
const table = new FleetTable(byId("axes"), select, (axis) => stops.stop(`/v1/axes/${axis}/stop`, axis));
const panel = new AxisPanel();
const controls = new AxisControls(box, () => selected, openStory);
const jog = new JogButtons(box, () => selected);
const commands = new CommandList(box, byId("commands"), openStory);
const alarms = new AlarmList(byId("alarms"), byId("alarm-count"));
const events = new EventList(byId("events"), openStory);
const plot = new LivePlot(byId("plot"));

/** @param {string} axis */
function select(axis) {
  if (axis === selected) return;
  selected = axis;
  byId("detail").hidden = false;
  controls.clear();
  jog.letGo();
  commands.show(axis);
  draw();
}

function draw() {
  table.show(picture, selected);
  const axis = picture.axis(selected);
  if (axis) {
    panel.show(axis, picture);
    plot.show(axis.id, picture.limits.get(axis.id));
  }
  showConnection();
}

/** Pictures of many axes come together: the page is drawn once for all of them. */
function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function showConnection() {
  const { blind } = picture;
  const line = byId("connection");
  line.className = blind ? "bad" : "";
  const connected = picture.all.length > 0 ? "connected" : "connecting";
  setText(line, blind ? `Blind: what you see is old. ${blind.why}` : connected);
  setText(byId("blind-age"), blind?.sinceMs ? `for ${age(blind.sinceMs)}` : "");
  document.body.classList.toggle("blind", blind !== null);
}

/** @param {import("./feed.js").News} news */
function take(news) {
  switch (news.kind) {
    case "axes":
      picture.takeAll(news.axes);
      for (const axis of news.axes) plot.add(axis);
      if (!picture.axis(selected) && news.axes[0]) select(news.axes[0].id);
      if (!configured) readLimits();
      break;
    case "axis":
      picture.take(news.axis);
      plot.add(news.axis);
      break;
    case "alarms":
      alarms.show(news.alarms);
      break;
    case "events":
      events.add(news.events);
      if (news.events.some(({ subject }) => subject === `axis-${selected}`)) commands.show(selected);
      story.renew(new Set(news.events.map(({ commandid }) => commandid)));
      if (news.events.some((event) => eventName(event) === "FleetConfigured")) configured = false;
      return;
    case "reset":
      picture.forget();
      events.clear();
      configured = false;
      return;
    case "failed":
      picture.failed(news.why);
      break;
  }
  drawSoon();
}

/** Limits are part of the configuration, which is in the log like everything else; the newest one counts. */
async function readLimits() {
  configured = true;
  try {
    let cursor = "0";
    for (let page = 0; page < CONFIG_PAGES_MAX && cursor !== null; page++) {
      const found = await box.read(`/v1/events?type=FleetConfigured&limit=200&afterPosition=${cursor}`);
      const config = found.items.at(-1)?.data.config;
      cursor = found.nextCursor;
      if (!config) continue;
      setText(byId("box"), config.box);
      for (const axis of config.axes) picture.limits.set(axis.id, axis.limits);
    }
  } catch {
    configured = false;
  }
  draw();
}

const feed = openFeed(take);
stops.beforeSend = () => feed.giveWay();
// Whoever stops wants to see the axes, not a story.
onEscape(() => story.close());
setInterval(draw, REDRAW_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && selected) commands.show(selected);
});
