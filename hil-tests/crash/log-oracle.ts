import { join } from "node:path";
import { verifyLog } from "@servofleet/controller/event-log/log-verify";
import { openEventLog } from "@servofleet/controller/event-log/open-event-log";
import { LOG_FILE } from "@servofleet/runtime/log-schema";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";

/** What lives have said so far: all that anybody outside knows. */
export class Said {
  readonly asked = new Set<string>();
  /** Position by id. */
  readonly acked = new Map<string, number>();

  take(line: string): void {
    const [word, first = "", second = ""] = line.split(" ");
    if (word === "ask") this.asked.add(first);
    if (word === "ack") this.acked.set(second, Number(first));
  }
}

/** What a log owes to those who heard it. Only `lost` may be found in a control. */
export interface Verdict {
  /** Acknowledged and not there, or somewhere else. */
  readonly lost: number;
  /** There twice, or half of a batch, or never asked for. */
  readonly wrong: number;
  /** There, asked for and never acknowledged: allowed. */
  readonly recovered: number;
  /** Why the log cannot be trusted or opened; null when it can. */
  readonly flaw: string | null;
}

const PAGE = 1000;

/** Opens the log in `directory` as the next start would, and holds it against what was said. Never rejects. */
export async function judgeLog(directory: string, said: Said): Promise<Verdict> {
  const clock = systemClock();
  const nothing: Verdict = { lost: said.acked.size, wrong: 0, recovered: 0, flaw: null };
  try {
    const log = await openEventLog({ directory, clock, random: systemRandom(), box: "press_1", reserveBytes: 0 });
    const stored = new Map<string, number>();
    const perCommand = new Map<string, number>();
    let [position, doubled] = [0, 0];
    for (;;) {
      const page = await log.read(position, PAGE);
      for (const event of page) {
        if (event.position !== position + 1) return { ...nothing, flaw: `position ${position + 1} is missing` };
        position = event.position;
        if (stored.has(event.id)) doubled += 1;
        stored.set(event.id, position);
        const command = event.commandId ?? "";
        perCommand.set(command, (perCommand.get(command) ?? 0) + 1);
      }
      if (page.length < PAGE) break;
    }
    await log.close();
    const verified = await verifyLog(join(directory, LOG_FILE), clock);
    // A batch is two events under one command: more is a repeat, less is a half.
    const wrong = [...perCommand].filter(([id, count]) => count !== 2 || !said.asked.has(id)).length;
    return {
      lost: [...said.acked].filter(([id, at]) => stored.get(id) !== at).length,
      wrong: wrong + doubled,
      recovered: [...perCommand.keys()].filter((id) => !said.acked.has(id)).length,
      flaw: verified.firstBad ? JSON.stringify(verified.firstBad) : null,
    };
  } catch (error) {
    return { ...nothing, flaw: String(error) };
  }
}
