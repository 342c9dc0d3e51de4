import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Random } from "@servofleet/runtime/clock";
import { seededRandom } from "@servofleet/runtime/fake-clock";
import type { DiskEvent } from "./disk-trace.ts";
import type { Weakness, Workload } from "./log-life-plan.ts";
import { judgeLog, Said, type Verdict } from "./log-oracle.ts";
import { CUT_KINDS, type CutKind, PowerCutDisk } from "./power-cut-disk.ts";
import { recordLives } from "./record-lives.ts";

/** Images that are judged at a time: SQLite works on threads of its own meanwhile. */
const AT_A_TIME = 4;
/** Between two looks at whether it is enough. */
const IMAGES_A_ROUND = 200;
/** Images of a failure that are kept for a look. */
const KEPT_MAX = 5;

/** What to cut. */
export interface PowerCutPlan {
  readonly workload: string;
  readonly weakness: Weakness;
  readonly images: number;
  readonly seed: number;
  /** Where images are made; the fastest place there is, as they are the disk after the cut. */
  readonly scratch: string;
  /** Ends the trial early, with what it has. */
  readonly enough?: () => boolean;
}

/** How a workload fared. */
export interface PowerCutOutcome {
  readonly workload: string;
  readonly weakness: Weakness;
  readonly images: number;
  /** Images in which something acknowledged was missing, and how much at most. */
  readonly imagesWithLoss: number;
  readonly worstLoss: number;
  readonly imagesWithWrong: number;
  readonly imagesWithFlaw: number;
  /** Images that held something nobody had been told of yet: allowed, and a sign that cuts fall between write and answer. */
  readonly imagesWithMore: number;
  /** The first failures, each with the place to look at. */
  readonly failures: readonly (Verdict & {
    readonly cutAfter: number;
    readonly kind: CutKind;
    readonly kept: string;
  })[];
}

/** Records the lives once, then cuts the power at random moments. Rejects with CrashError or LineError when it cannot begin. */
export const powerCutTrial = (plan: PowerCutPlan & { readonly workload: Workload }): Promise<PowerCutOutcome> =>
  cutRecorded(plan, (root) => recordLives(root, plan.workload, plan.weakness));

/** The same for any record; `record` gets a directory of its own. */
export async function cutRecorded(
  plan: PowerCutPlan,
  record: (root: string) => Promise<readonly DiskEvent[]>,
): Promise<PowerCutOutcome> {
  const root = await mkdtemp(join(plan.scratch, "power-cut-"));
  const trial = new Trial(plan, root);
  try {
    return await trial.run(await record(root));
  } finally {
    await rm(join(root, "disk"), { recursive: true, force: true });
    await rm(join(root, "trace"), { force: true });
    if (trial.failures.length === 0) await rm(root, { recursive: true, force: true });
  }
}

class Trial {
  readonly failures: PowerCutOutcome["failures"][number][] = [];
  readonly #plan: PowerCutPlan;
  readonly #root: string;
  readonly #counts = {
    images: 0,
    imagesWithLoss: 0,
    worstLoss: 0,
    imagesWithWrong: 0,
    imagesWithFlaw: 0,
    imagesWithMore: 0,
  };

  constructor(plan: PowerCutPlan, root: string) {
    this.#plan = plan;
    this.#root = root;
  }

  async run(events: readonly DiskEvent[]): Promise<PowerCutOutcome> {
    const { images, seed, workload, weakness, enough } = this.#plan;
    const random = seededRandom(seed);
    while (this.#counts.images < images && !enough?.())
      await this.#round(events, Math.min(IMAGES_A_ROUND, images - this.#counts.images), random);
    return { workload, weakness, ...this.#counts, failures: this.failures };
  }

  /** Cuts all over the record, in order, so that the disk is played once for all of them. */
  async #round(events: readonly DiskEvent[], images: number, random: Random): Promise<void> {
    const cuts = Array.from({ length: images }, () => 1 + Math.floor(random.next() * events.length));
    cuts.sort((a, b) => a - b);
    const disk = new PowerCutDisk();
    const said = new Said();
    let done = 0;
    for (let next = 0; next < cuts.length; next += AT_A_TIME) {
      const batch: Promise<void>[] = [];
      for (const cut of cuts.slice(next, next + AT_A_TIME)) {
        for (; done < cut; done++) {
          const event = events[done];
          if (event?.does === "say") said.take(event.line);
          if (event) disk.take(event);
        }
        batch.push(this.#one(disk, copyOf(said), cut, random));
      }
      await Promise.all(batch);
    }
  }

  #one(disk: PowerCutDisk, said: Said, cutAfter: number, random: Random): Promise<void> {
    const kind = CUT_KINDS[Math.floor(random.next() * CUT_KINDS.length)] ?? "lost";
    const image = disk.image(kind, random);
    const directory = join(this.#root, `image-${this.#counts.images++}`);
    return this.#judge(image, directory, said, { cutAfter, kind });
  }

  async #judge(
    image: ReadonlyMap<string, Buffer>,
    directory: string,
    said: Said,
    cut: { readonly cutAfter: number; readonly kind: CutKind },
  ): Promise<void> {
    await writeImage(directory, image);
    const verdict = await judgeLog(directory, said);
    const { lost, wrong, recovered, flaw } = verdict;
    if (lost > 0) this.#counts.imagesWithLoss += 1;
    if (wrong > 0) this.#counts.imagesWithWrong += 1;
    if (flaw !== null) this.#counts.imagesWithFlaw += 1;
    if (recovered > 0) this.#counts.imagesWithMore += 1;
    this.#counts.worstLoss = Math.max(this.#counts.worstLoss, lost);
    const failed = lost + wrong > 0 || flaw !== null;
    const keep = failed && this.#plan.weakness === "none" && this.failures.length < KEPT_MAX;
    await rm(directory, { recursive: true, force: true });
    if (!keep) return;
    this.failures.push({ ...verdict, ...cut, kept: directory });
    // As the power cut left it, not as the judge did.
    await writeImage(directory, image);
  }
}

function copyOf(said: Said): Said {
  const copied = new Said();
  for (const id of said.asked) copied.asked.add(id);
  for (const [id, at] of said.acked) copied.acked.set(id, at);
  return copied;
}

async function writeImage(directory: string, image: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(directory);
  for (const [name, bytes] of image) {
    const file = join(directory, name);
    await mkdir(dirname(file), { recursive: true });
    // A private key that others may read would be refused.
    await writeFile(file, bytes, { mode: 0o600 });
  }
}
