import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signalService } from "../box/patient-asking.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { type OperatorPage, openPage, startBrowser } from "../browser/operator-page.ts";
import { needs } from "../test-host.ts";

/** What of a row is drawn hatched, so that old values look old. */
const hatched = (selector: string) =>
  `getComputedStyle(document.querySelector('${selector}')).backgroundImage.includes("repeating-linear-gradient")`;

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

  const isHatched = (selector: string, wanted: boolean) =>
    until(
      `${selector} is ${wanted ? "" : "not "}hatched`,
      () => operator.page.evaluate<boolean>(hatched(selector)),
      (seen) => seen === wanted,
    );
  const rowText = (axis: string, accept: (text: string) => boolean) => operator.text(operator.row(axis), accept);
  const stopBox = () => operator.page.locator("#stop-all").boundingBox();

  test("shows a silent drive as offline, its values as old, and an alarm with what to do; then that it is back", async () => {
    const place = await stopBox();
    await box.upsetDrive("y3", { kind: "silence" });
    await rowText("y3", (text) => text.includes("offline") && /\d s/.test(text));
    await isHatched(`${operator.row("y3")} .position-cell`, true);
    await isHatched(`${operator.row("y2")} .position-cell`, false);
    const alarm = await operator.text("#alarms", (text) => text.includes("y3"));
    expect(alarm).toMatch(/does not answer/i);
    expect(alarm).toMatch(/What to do: check power/);
    await operator.text("#alarm-count", (text) => text === "1 active alarm");
    await operator.select("y3");
    await operator.text("#axis-attention", (text) => text.includes("does not answer"));
    expect(await stopBox()).toEqual(place);
    await box.upsetDrive("y3", { kind: "clear" });
    await rowText("y3", (text) => text.includes("disabled") && text.includes("< 1 s"));
    await operator.text("#alarm-count", (text) => text === "no active alarm");
    await isHatched(`${operator.row("y3")} .position-cell`, false);
  });

  test("shows a fault of the drive with its code and its remedy, and that Reset took it away", async () => {
    await box.prepare("x2");
    await box.upsetDrive("x2", { kind: "blocked-shaft" });
    await operator.select("x2");
    await operator.move("300", "300");
    await rowText("x2", (text) => /fault\s+0x/.test(text));
    await operator.text("#axis-attention", (text) => /Fault 0x.*What to do:.*shaft/.test(text));
    await operator.text("#alarms", (text) => text.includes("x2") && text.includes("What to do"));
    await operator.text("#commands", (text) => /MoveAbsolute\s+300.00\s+failed/.test(text));
    await box.upsetDrive("x2", { kind: "clear" });
    await operator.command("Reset");
    await rowText("x2", (text) => !text.includes("0x") && !text.includes("fault"));
  });

  test("says that it is blind while the read side hangs, lets the values grow old, and comes back by itself", async () => {
    const place = await stopBox();
    const dashboard = await signalService(box, "dashboard", "SIGSTOP");
    try {
      await operator.text("#connection", (text) => text.startsWith("Blind: what you see is old."));
      await isHatched(operator.row("z2"), true);
      await rowText("z2", (text) => /\b([4-9]|\d\d) s\b|\d min\b/.test(text));
      expect(await stopBox()).toEqual(place);
      const asked = operator.stops().length;
      const { presses } = await operator.stopConfirmed(() => operator.page.keyboard.press("Escape"));
      expect(operator.stops().slice(asked)).toEqual(Array(presses).fill("POST /v1/stop"));
    } finally {
      process.kill(dashboard, "SIGCONT");
    }
    await operator.text("#connection", (text) => text === "connected");
    await isHatched(operator.row("z2"), false);
    await rowText("z2", (text) => text.includes("< 1 s") && text.includes("stop latched"));
  });

  test("goes on with live values and events after the read side was killed as often as it came up", async () => {
    await until(
      "the page is blind",
      () => {
        const pid = box.pid("dashboard");
        if (pid !== undefined) process.kill(pid, "SIGKILL");
        return operator.textNow("#connection");
      },
      (text) => text.startsWith("Blind"),
    );
    await operator.text("#connection", (text) => text === "connected");
    const before = await operator.page.locator("#events li").first().getAttribute("data-position");
    await operator.select("y1");
    await operator.command("Reset");
    await rowText("y1", (text) => !text.includes("stop latched"));
    await operator.text("#events li:first-child", (text) => text !== "");
    const number = (position: string | null) => Number(position?.split(".")[1]);
    const positions = await until(
      "the released latch is in the list",
      () =>
        operator.page.evaluate<string[]>(
          `[...document.querySelectorAll("#events li")].map((row) => row.dataset.position)`,
        ),
      ([newest = ""]) => number(newest) > number(before),
    );
    const numbers = positions.map(number);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(numbers[0]).toBe((numbers.at(-1) ?? 0) + numbers.length - 1);
    await rowText("y1", (text) => text.includes("< 1 s"));
    expect(operator.errors).toEqual([]);
  });
});
