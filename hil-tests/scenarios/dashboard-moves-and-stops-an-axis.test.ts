import type { AxisView } from "@servofleet/contracts";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { type OperatorPage, openPage, startBrowser } from "../browser/operator-page.ts";
import { needs } from "../test-host.ts";

const MOTION = new Set(["start-absolute", "start-relative", "velocity", "home"]);
const AXES = ["x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2"];
const VIEWPORTS = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
];
/** What lies nearer to a stop button than a thumb is wide is hit with it, CSS px. */
const APART_PX = 60;

/** How far the newest end of the plot's first line, the dark one, lies above where it was 6 s before; shares of its height. */
const RISE = `(() => {
  const canvas = document.querySelector("#plot canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const highest = (x) => {
    for (let y = 0; y < height; y++) {
      const at = 4 * (y * width + x);
      if (data[at + 3] > 200 && data[at] < 60 && data[at + 1] < 60) return y;
    }
  };
  let newest = width - 1;
  while (newest > 0 && highest(newest) === undefined) newest--;
  const before = highest(newest - Math.floor(width / 5));
  return before === undefined ? 0 : (before - highest(newest)) / height;
})()`;

describe.runIf(needs("chromium"))("the operator's page", () => {
  let box: RunningBox;
  let browser: Browser;
  let operator: OperatorPage;
  beforeAll(async () => {
    box = await startBox();
    browser = await startBrowser();
    operator = await openPage(browser, box);
  });
  afterAll(async () => {
    await browser?.close();
    await box?.stop();
  });

  const rowText = (axis: string, accept: (text: string) => boolean) => operator.text(operator.row(axis), accept);
  const position = async (axis: string) =>
    Number.parseFloat((await operator.textNow(`${operator.row(axis)} .position-cell`)).replace("−", "-"));
  const mark = async (axis: string) =>
    Number.parseFloat(
      await operator.page.evaluate<string>(
        `document.querySelector('${operator.row(axis)} .travel .at').style.left || "NaN"`,
      ),
    );

  /** In the drive and on the page: one that lags may still show the standstill before the move. */
  async function standsAt(axis: string, target: number): Promise<void> {
    await until(
      `${axis} stands at ${target}`,
      async () => ({ drive: await box.drive(axis), shown: await position(axis) }),
      ({ drive, shown }) => !drive.moving && Math.abs(shown - target) < 0.1,
    );
    await rowText(axis, (text) => text.includes("standing"));
  }
  const standing = () =>
    until(
      "the drive stands",
      () => box.drive("x1"),
      ({ moving, plant }) => !moving && Math.abs(plant.velocity) < 1,
    );

  /**
   * Holds the jog button until the drive has run 10 mm. Whatever pauses for longer than the window of a jog ends the press,
   * as it must, and a person presses again. Returns where the drive stood before the press and its newest write then.
   */
  const jogged = () =>
    until(
      "the axis runs while the button is held",
      async () => {
        const { mouse } = operator.page;
        await mouse.up();
        const { position: from, record } = await standing();
        await mouse.down();
        const look = async () => ({
          far: (await box.drive("x1")).position - from,
          held: await operator.page.locator("[data-jog].held").count(),
        });
        const ran = ({ far }: { far: number }) => far > 1000;
        const last = await until(
          "the axis has run, or the press is over",
          look,
          (seen) => ran(seen) || seen.held === 0,
        );
        return { from, seq: record.at(-1)?.seq ?? 0, ran: ran(last) };
      },
      ({ ran }) => ran,
    );

  test("shows every axis with state, position and age, and what is abnormal in words", async () => {
    for (const axis of AXES) {
      const text = await rowText(axis, (seen) => /(mm|deg)/.test(seen) && seen.includes("< 1 s"));
      expect(text).toMatch(/disabled/);
      expect(text).toMatch(/not homed/);
    }
    expect(await operator.page.locator("#axes tr").count()).toBe(AXES.length);
    await operator.text("#box", (text) => text === "demo_box");
    await operator.text("#alarm-count", (text) => text === "no active alarm");
    await operator.text("#connection", (text) => text === "connected");
  });

  test("enables and homes an axis", async () => {
    await operator.select("x1");
    await operator.command("Enable");
    await rowText("x1", (text) => text.includes("standing"));
    await operator.command("Home");
    await rowText("x1", (text) => text.includes("standing") && !text.includes("not homed"));
    expect((await box.drive("x1")).homed).toBe(true);
  });

  test("shows the axis travel while it moves: in figures, on the bar and in the plot", async () => {
    expect(await operator.page.evaluate<number>(RISE)).toBeLessThan(0.2);
    // Six seconds: long enough to be seen by a browser that is held back for half of them.
    await operator.move("60", "10");
    await operator.text("#answer", (text) => text.includes("MoveAbsolute x1: accepted"));
    const figures = new Set<number>();
    const marks = new Set<number>();
    let rise = 0;
    await until(
      "the figure and the mark were seen at many places on the way, and the plot shows it",
      async () => {
        const now = await position("x1");
        if (now > 1 && now < 59) figures.add(now);
        const share = await mark("x1");
        if (share > 0.2 && share < 7.4) marks.add(share);
        rise = Math.max(rise, (await operator.page.evaluate<number>(RISE)) || 0);
        return { figures: figures.size, marks: marks.size, rise };
      },
      (seen) => seen.figures >= 5 && seen.marks >= 5 && seen.rise > 0.4,
    );
    await standsAt("x1", 60);
    expect(await mark("x1")).toBeCloseTo(7.5, 0);
  });

  test("shows measured, commanded, sent and acknowledged as four things with their ages", async () => {
    const told = ["commanded", "sent", "acknowledged"].map(
      (name) => new RegExp(`${name}\\s+60\\.00 mm\\s+[+−]?0\\.\\d\\d\\s+(< 1 s|\\d+ s)`),
    );
    const all = [...told, /measured\s+(60\.0\d|59\.9\d) mm\s+< 1 s/];
    await operator.text("#four", (seen) => all.every((wanted) => wanted.test(seen)));
  });

  test("runs an axis while a jog button is held, and halts it without a latch when it is let go", async () => {
    const { page } = operator;
    await page.fill("#jog-velocity", "20");
    await page.hover('[data-jog="1"]');
    const { from, seq } = await jogged();
    await page.mouse.up();
    expect((await standing()).position).toBeLessThan(from + 20_000);
    const kinds = (await box.drive("x1", seq)).record.map(({ kind }) => kind);
    expect(kinds.filter((kind) => MOTION.has(kind))).toHaveLength(1);
    await until(
      "the axis is given back",
      () => box.call<{ items: unknown[] }>("GET", "/v1/leases"),
      ({ body }) => body.items.length === 0,
    );
    expect((await box.read<AxisView>("/v1/axes/x1")).stopLatched).toBe(false);
    expect(await rowText("x1", (text) => text.includes("standing"))).not.toContain("stop latched");
    // Back to where the other tests expect it.
    await operator.move("60", "20");
    await standsAt("x1", 60);
  });

  test("stops the axis in mid-move by the mouse, shows the latch, and Reset frees it without moving it", async () => {
    const before = (await box.drive("x1")).record.at(-1)?.seq ?? 0;
    await operator.move("760", "60");
    await until(
      "the axis is on its way",
      () => position("x1"),
      (seen) => seen > 75,
    );
    const asked = operator.stops().length;
    const { said, presses } = await operator.stopConfirmed(() => operator.page.click("#stop-all"));
    for (const axis of AXES) expect(said).toContain(axis);
    expect(operator.stops().slice(asked)).toEqual(Array(presses).fill("POST /v1/stop"));
    const rest = await until(
      "the drive stands",
      () => box.drive("x1", before),
      (drive) => !drive.moving && Math.abs(drive.plant.velocity) < 1,
    );
    expect(rest.position).toBeLessThan(70_000);
    const kinds = rest.record.map(({ kind }) => kind);
    const stop = kinds.findIndex((kind) => kind === "stop" || kind === "halt");
    expect(kinds.slice(0, stop).filter((kind) => MOTION.has(kind))).toEqual(["start-absolute"]);
    expect(kinds.slice(stop).filter((kind) => MOTION.has(kind))).toEqual([]);
    for (const axis of AXES) await rowText(axis, (text) => text.includes("stop latched"));
    await operator.text("#axis-attention", (text) => text.includes("Reset"));

    await operator.move("10");
    const refused = await operator.text("#answer", (text) => text.includes("What to do"));
    expect(refused).toMatch(/stop|latch/i);
    await operator.command("Reset");
    await rowText("x1", (text) => !text.includes("stop latched"));
    const after = await box.drive("x1", before);
    expect(after.record.slice(stop).filter(({ kind }) => MOTION.has(kind))).toEqual([]);
    expect(Math.abs(after.position - rest.position)).toBeLessThan(50);
  });

  test("stops one axis by its own button and leaves the others free", async () => {
    const asked = operator.stops().length;
    const press = () => operator.page.click(`${operator.row("z1")} .stop-one`);
    const { said, presses } = await operator.stopConfirmed(press);
    expect(said).toMatch(/acknowledged by z1$/);
    expect(operator.stops().slice(asked)).toEqual(Array(presses).fill("POST /v1/axes/z1/stop"));
    await operator.select("x2");
    await operator.command("Reset");
    await rowText("x2", (text) => !text.includes("stop latched"));
  });

  test("says in words why a wish was refused and what to do", async () => {
    await operator.select("x1");
    await operator.move("900");
    const text = await operator.text("#answer", (seen) => seen.includes("What to do"));
    expect(text).toContain("MoveAbsolute x1");
    expect(text).toMatch(/900.*800/s);
    await operator.move("12,x");
    await operator.text("#answer", (seen) => seen.includes("not a number"));
  });

  test("fills the list of events and tells the story of a command with its frames", async () => {
    for (const name of ["CommandSucceeded", "MotionStarted", "StopLatched", "CommandRejected"])
      await operator.text("#events", (text) => text.includes(name));
    await operator.page
      .locator("#commands li", { hasText: /MoveAbsolute.*succeeded/ })
      .first()
      .locator("button")
      .click();
    const story = await operator.text("#story", (text) => text.includes("On the wire") && text.includes("succeeded"));
    for (const state of ["accepted", "dispatched", "acknowledged", "moving", "succeeded"])
      expect(story).toContain(state);
    expect(story).toMatch(/sent\s+01 10( [0-9a-f]{2})+/i);
    expect(story).toMatch(/received\s+01( [0-9a-f]{2})+/i);
  });

  test.each(VIEWPORTS)("keeps the stop in sight and in reach at $width x $height, whatever is open", async (size) => {
    const { page } = operator;
    await page.setViewportSize(size);
    const onTop = (y: number) => `(() => {
      window.scrollTo(0, ${y});
      const box = document.querySelector("#stop-all").getBoundingClientRect();
      const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return { hit: hit?.closest("button")?.id, y: box.y, x: box.x, width: box.width, height: box.height };
    })()`;
    const first = await page.evaluate<{ hit: string; width: number; height: number }>(onTop(0));
    expect(first).toMatchObject({ hit: "stop-all" });
    expect(first.height).toBeGreaterThanOrEqual(60);
    expect(await page.evaluate(onTop(100_000))).toEqual(first);
    expect(await page.locator("#story").isVisible()).toBe(true);
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(size.width);
    await operator.text("#stop-all", (text) => /not a safety function/i.test(text));
    const near = await page.evaluate<string[]>(`(() => {
      window.scrollTo(0, 0);
      const all = (selector) => [...document.querySelectorAll(selector)].map((node) => [node.textContent, node.getBoundingClientRect()]);
      const gap = (a, b) => Math.hypot(Math.max(0, a.left - b.right, b.left - a.right), Math.max(0, a.top - b.bottom, b.top - a.bottom));
      return all("#stop-all, .stop-one").flatMap(([stop, a]) =>
        all("[data-command], #move button").filter(([, b]) => gap(a, b) < ${APART_PX}).map(([name]) => stop + " beside " + name));
    })()`);
    expect(near).toEqual([]);
  });

  test("names every control for a screen reader and shows where the focus is", async () => {
    const { page } = operator;
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.click("#story-close");
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const controls = nodes.filter(({ role, ignored }) => !ignored && /^(button|textbox|link)$/.test(role?.value ?? ""));
    expect(controls.length).toBeGreaterThan(20);
    expect(controls.filter(({ name }) => !name?.value?.trim())).toEqual([]);
    const names = controls.map(({ name }) => String(name?.value));
    for (const axis of AXES) expect(names).toContain(`Stop ${axis}`);
    expect(names.filter((name) => name.startsWith("STOP ALL AXES"))).toHaveLength(1);
    await page.evaluate("document.activeElement?.blur()");
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press("Tab");
      const outline = await page.evaluate<string>(
        "(() => { const style = getComputedStyle(document.activeElement); return style.outlineStyle + ' ' + style.outlineWidth; })()",
      );
      expect(outline).toMatch(/^solid [2-9]/);
    }
  });

  test("has asked no other host, broken no rule of its own and left no error on the console", () => {
    expect(operator.errors).toEqual([]);
    const foreign = operator.requests.filter((request) => !request.split(" ")[1]?.startsWith(box.url));
    expect(foreign).toEqual([]);
  });
});
