import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signalService } from "../box/patient-asking.ts";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { type OperatorPage, openPage, startBrowser } from "../browser/operator-page.ts";
import { needs } from "../test-host.ts";

const MOTION = new Set(["start-absolute", "start-relative", "velocity", "home"]);
/** More than the connections that a browser opens to one host, if each tab held one for itself. */
const TABS = 8;

describe.runIf(needs("chromium"))("the stop of the operator's page", () => {
  let box: RunningBox;
  let browser: Browser;
  let operator: OperatorPage;
  beforeAll(async () => {
    box = await startBox();
    browser = await startBrowser();
    await readyAxis(box, "z1");
    operator = await openPage(browser, box);
  });
  afterEach(async () => {
    expect(operator?.errors).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await box?.stop();
  });

  /** Sends the axis from one end to the other and waits until the page shows that it travels. */
  async function travelling(): Promise<number> {
    // A stop of the test before that is still under way would end this move.
    await operator.stopsAnswered();
    await readyAxis(box, "z1");
    const { position: here, record } = await box.drive("z1");
    const seq = record.at(-1)?.seq ?? 0;
    await box.send("z1", { type: "MoveAbsolute", position: here > 0 ? -350 : 350, velocity: 20 });
    // The state is "moving" from the order on, before the shaft turns: what stands then has not been stopped.
    await until(
      "the drive moves",
      () => box.drive("z1"),
      ({ plant }) => Math.abs(plant.velocity) > 500,
    );
    await operator.text(operator.row("z1"), (text) => text.includes("moving"));
    return seq;
  }

  /** The drive's own record: one stop came, and nothing that moves came after it. */
  async function stopped(afterSeq: number): Promise<void> {
    const drive = await until(
      "the drive stands",
      () => box.drive("z1", afterSeq),
      ({ moving, plant }) => !moving && Math.abs(plant.velocity) < 1,
    );
    expect(Math.abs(drive.position)).toBeLessThan(345_000);
    const kinds = drive.record.map(({ kind }) => kind);
    const stop = kinds.findIndex((kind) => kind === "stop" || kind === "halt");
    expect(stop).toBeGreaterThan(0);
    expect(kinds.slice(stop).filter((kind) => MOTION.has(kind))).toEqual([]);
    await operator.text(operator.row("z1"), (text) => text.includes("stop latched"));
  }

  test("goes out when Escape is pressed, once, however long the key is held", async () => {
    const seq = await travelling();
    const asked = operator.stops().length;
    const { keyboard } = operator.page;
    for (let repeat = 0; repeat < 5; repeat++) await keyboard.down("Escape");
    await keyboard.up("Escape");
    await stopped(seq);
    await operator.stopsAnswered();
    expect(operator.stops().slice(asked)).toEqual(["POST /v1/stop"]);
    const { presses } = await operator.stopConfirmed(() => keyboard.press("Escape"));
    expect(operator.stops().length - asked, "another press is another stop").toBe(1 + presses);
  });

  test("goes out while the move field is being typed into", async () => {
    const seq = await travelling();
    const asked = operator.stops().length;
    await operator.page.click("#move-position");
    await operator.page.keyboard.type("12");
    await operator.page.keyboard.press("Escape");
    await stopped(seq);
    expect(operator.stops().slice(asked)).toEqual(["POST /v1/stop"]);
    expect(await operator.page.inputValue("#move-position")).toBe("12");
  });

  test("goes out while a story is open, by the key and by the mouse", async () => {
    const { page } = operator;
    await operator.select("z1");
    const open = async () => {
      await page.locator("#commands button").first().click();
      await operator.text("#story", (text) => text.includes("On the wire"));
    };
    let seq = await travelling();
    await open();
    let asked = operator.stops().length;
    await page.keyboard.press("Escape");
    await stopped(seq);
    expect(operator.stops().slice(asked)).toEqual(["POST /v1/stop"]);
    await page.waitForSelector("#story", { state: "hidden" });

    seq = await travelling();
    await open();
    asked = operator.stops().length;
    await page.click("#stop-all");
    await stopped(seq);
    expect(operator.stops().slice(asked)).toEqual(["POST /v1/stop"]);
    await page.click("#story-close");
  });

  test("goes out by Enter and by Space on the button, and on the press of the mouse before its release", async () => {
    const { page } = operator;
    for (const key of ["Enter", "Space"]) {
      const asked = operator.stops().length;
      await page.focus("#stop-all");
      await page.keyboard.press(key);
      await until(
        `${key} sends a stop`,
        () => operator.stops().length - asked,
        (count) => count === 1,
      );
    }
    const seq = await travelling();
    const asked = operator.stops().length;
    await page.hover(`${operator.row("z1")} .stop-one`);
    await page.mouse.down();
    await stopped(seq);
    // Slid off before the release: the press has counted already.
    await page.mouse.move(5, 600);
    await page.mouse.up();
    expect(operator.stops().slice(asked)).toEqual(["POST /v1/axes/z1/stop"]);
  });

  test(`goes out of the last of ${TABS} open tabs, also while the read side hangs`, async () => {
    const context = await browser.newContext();
    const tabs: OperatorPage[] = [];
    for (let tab = 0; tab < TABS; tab++) tabs.push(await openPage(context, box));
    const last = tabs.at(-1);
    const seq = await travelling();
    const dashboard = await signalService(box, "dashboard", "SIGSTOP");
    try {
      await last?.stopConfirmed(() => last.page.keyboard.press("Escape"));
      const drive = await until(
        "the drive stands",
        () => box.drive("z1", seq),
        ({ moving, plant }) => !moving && Math.abs(plant.velocity) < 1,
      );
      expect(Math.abs(drive.position)).toBeLessThan(345_000);
    } finally {
      process.kill(dashboard, "SIGCONT");
    }
    for (const tab of tabs) expect(tab.errors).toEqual([]);
    await context.close();
  });

  test("goes out and is seen in a browser that cannot share the feed among its tabs", async () => {
    const context = await browser.newContext();
    await context.addInitScript("delete window.SharedWorker");
    const alone = await openPage(context, box);
    await alone.text("#events", (text) => text.includes("StopConfirmed"));
    const seq = await travelling();
    await alone.text(alone.row("z1"), (text) => text.includes("moving"));
    await alone.page.keyboard.press("Escape");
    await alone.text(alone.row("z1"), (text) => text.includes("stop latched"));
    await stopped(seq);
    await alone.stopsAnswered();
    expect(alone.errors).toEqual([]);
    await context.close();
  });

  test("says so when it did not get through, goes on trying for a while, and never stays silent", async () => {
    const { page } = operator;
    await page.context().setOffline(true);
    const asked = operator.stops().length;
    await page.keyboard.press("Escape");
    const text = await operator.text("#stop-answer", (seen) => seen.includes("hard-wired") && !seen.includes("again"));
    expect(text).toContain("did not get through");
    expect(operator.stops().length - asked).toBeGreaterThan(1);
    await page.context().setOffline(false);
    await operator.stopConfirmed(() => page.keyboard.press("Escape"));
  });
});
