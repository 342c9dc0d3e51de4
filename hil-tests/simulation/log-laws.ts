import type { RecordedEvent } from "@servofleet/contracts";
import { canonicalRow, chainHash, genesisHash } from "@servofleet/runtime/log-schema";
import type { Broken, Evidence } from "./law-evidence.ts";
import type { ToldCommand } from "./told-command.ts";

/** What must be true of the log alone, and of what clients were told about it. Pure. */
export function logLaws(evidence: Evidence): Broken[] {
  return [
    ...rowLaws(evidence.log),
    ...evidence.commands.flatMap((command) => commandLaws(command)),
    ...answerLaws(evidence),
  ];
}

function rowLaws(log: readonly RecordedEvent[]): Broken[] {
  const broken: Broken[] = [];
  const versions = new Map<string, number>();
  let before: { position: number; epoch: number; hash: string } = {
    position: 0,
    epoch: 0,
    hash: genesisHash("simulation"),
  };
  for (const event of log) {
    const { position, epoch, stream, version, hash, data, ...row } = event;
    const at = `${event.type} at ${position}`;
    if (position !== before.position + 1) broken.push({ law: "positions are gapless", how: at });
    if (epoch < before.epoch) broken.push({ law: "epochs never go back", how: at });
    if (version !== (versions.get(stream) ?? 0) + 1) broken.push({ law: "versions are gapless", how: at });
    const canonical = canonicalRow({ ...row, position, epoch, stream, version, data: JSON.stringify(data) });
    if (hash !== chainHash(before.hash, canonical)) broken.push({ law: "the chain holds", how: at });
    versions.set(stream, version);
    before = event;
  }
  return broken;
}

function commandLaws({ id, axis, accepted, events, ends }: ToldCommand): Broken[] {
  const name = `${accepted?.commandType ?? events[0]?.type} ${id} of ${axis}`;
  const broken: Broken[] = [];
  if (ends.length !== 1) {
    const how = `${name} ended ${ends.length} times: ${events.map(({ type }) => type).join(" ")}`;
    broken.push({ law: "every command ends exactly once", how });
  }
  const end = ends[0];
  const late = end && events.slice(events.indexOf(end) + 1).find(({ type }) => type !== "OutcomeSettled");
  if (late) broken.push({ law: "nothing happens to a command after its end", how: `${name}: ${late.type}` });
  if (events.filter(({ type }) => type === "DispatchStarted").length > 1)
    broken.push({ law: "a command is dispatched at most once", how: name });
  return broken;
}

/** What was answered is in the log, and a key names one command however often it is asked. */
function answerLaws({ history, commands }: Evidence): Broken[] {
  const known = new Map(commands.map((command) => [command.id, command]));
  return history.wishes.flatMap(({ key, commandId, attempts }) => {
    if (commandId === null) return [];
    const command = known.get(commandId);
    if (!command) return [{ law: "what was answered is in the log", how: `key ${key}, command ${commandId}` }];
    const wrong = attempts.find(({ answer }) => (command.accepted ? answer === "rejected" : answer === "accepted"));
    return wrong ? [{ law: "the same key gets the same answer", how: `key ${key} of ${commandId}` }] : [];
  });
}
