import { type Browser, type BrowserContext, chromium, type Page, type Request } from "playwright-core";
import type { RunningBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Whatever asks for another host finds none.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
/** A browser on a busy host takes its time to open a page, ms. */
const PAGE_LIMIT_MS = 60_000;
/** Chromium says so of every answer of 400 and above: a refusal is no mistake of the page. */
const REFUSAL = /^Failed to load resource/;

/** The operator's page in a real browser, with all that it did wrong and all that it asked for. */
export interface OperatorPage {
  readonly page: Page;
  /** Errors on the console and exceptions that nobody caught. */
  readonly errors: readonly string[];
  /** `POST http://127.0.0.1:1234/v1/stop` and so on, in order; those of the shared feed are not among them. */
  readonly requests: readonly string[];
  /** Waits until the text at a selector is accepted, and returns it. */
  text(selector: string, accept: (text: string) => boolean): Promise<string>;
  /** The text at a selector as a person sees it now; empty when nothing is there. */
  textNow(selector: string): Promise<string>;
  /** The row of an axis, as CSS selector. */
  row(axis: string): string;
  select(axis: string): Promise<void>;
  /** Presses one of the buttons for the selected axis. */
  command(name: "Enable" | "Disable" | "Home" | "Halt" | "Reset"): Promise<void>;
  /** Fills the form and sends it. */
  move(position: string, velocity?: string): Promise<void>;
  /** Stops that this page has asked for so far. */
  stops(): string[];
  /** Waits until every stop that this page has asked for is answered or given up: none can arrive later. */
  stopsAnswered(): Promise<void>;
  /**
   * Presses a stop until its axes have acknowledged it; returns what the page said then, and how often it was pressed. A box
   * waits one second for the drives, and a host that pauses for longer is no fault of it.
   */
  stopConfirmed(press: () => Promise<void>): Promise<{ said: string; presses: number }>;
}

const isStop = (request: Request): boolean =>
  request.method() === "POST" && new URL(request.url()).pathname.endsWith("/stop");

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

/** Opens the page of a box; resolves when it shows the fleet. */
export async function openPage(context: Browser | BrowserContext, box: RunningBox): Promise<OperatorPage> {
  const page = await context.newPage();
  page.setDefaultTimeout(PAGE_LIMIT_MS);
  const underWay = new Set<Request>();
  const errors: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !REFUSAL.test(message.text())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    requests.push(`${request.method()} ${request.url()}`);
    if (isStop(request)) underWay.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"] as const)
    page.on(end as "requestfinished", (request) => underWay.delete(request));
  await page.goto(box.url);
  await page.waitForSelector("#axes tr");
  return operatorPage(page, errors, requests, underWay, box.url);
}

function operatorPage(
  page: Page,
  errors: string[],
  requests: string[],
  underWay: ReadonlySet<Request>,
  url: string,
): OperatorPage {
  const textNow = async (selector: string) => (await page.locator(selector).allInnerTexts()).join("\n");
  const stopsAnswered = async () =>
    void (await until(
      "no stop of the page is under way",
      () => underWay.size,
      (count) => count === 0,
    ));
  const row = (axis: string) => `#axes tr[data-axis="${axis}"]`;
  return {
    page,
    stopsAnswered,
    async stopConfirmed(press) {
      let presses = 0;
      const said = await until(
        "the stop is acknowledged by all its axes",
        async () => {
          await stopsAnswered();
          await press();
          presses++;
          const answered = (text: string) => !text.includes("waiting for the drives") && !text.includes("trying again");
          return until("the page says what became of the stop", () => textNow("#stop-answer"), answered);
        },
        (text) => / stop acknowledged by /.test(text),
      );
      return { said, presses };
    },
    errors,
    requests,
    row,
    text: (selector, accept) => until(`${selector} says what it should`, () => textNow(selector), accept),
    textNow,
    select: (axis) => page.click(`${row(axis)} .name`),
    command: (name) => page.click(`#controls [data-command="${name}"]`),
    async move(position, velocity = "") {
      await page.fill("#move-position", position);
      await page.fill("#move-velocity", velocity);
      await page.click("#move button");
    },
    stops: () =>
      requests.filter((request) => /^POST .*\/stop$/.test(request)).map((request) => request.replace(url, "")),
  };
}
