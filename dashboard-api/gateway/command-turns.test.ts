import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { COMMANDS_AT_ONCE, COMMANDS_WAITING_MAX, CommandTurns, TURN_WAIT_MAX_MS } from "./command-turns.ts";

async function taken(turns: CommandTurns): Promise<void> {
  for (let i = 0; i < COMMANDS_AT_ONCE; i++) expect(await turns.take()).toBe(true);
}

test("a turn given back goes to the one that has waited longest", async () => {
  const turns = new CommandTurns(new FakeClock());
  await taken(turns);
  const order: string[] = [];
  const first = turns.take().then(() => order.push("first"));
  const second = turns.take().then(() => order.push("second"));
  turns.giveBack();
  await first;
  turns.giveBack();
  await second;
  expect(order).toEqual(["first", "second"]);
});

test("a wait beyond its limit is refused, and its place does not swallow a turn", async () => {
  const clock = new FakeClock();
  const turns = new CommandTurns(clock);
  await taken(turns);
  const late = turns.take();
  await clock.advance(TURN_WAIT_MAX_MS);
  expect(await late).toBe(false);
  turns.giveBack();
  expect(await turns.take()).toBe(true);
});

test("more than may wait are refused at once", async () => {
  const turns = new CommandTurns(new FakeClock());
  await taken(turns);
  for (let i = 0; i < COMMANDS_WAITING_MAX; i++) void turns.take();
  expect(await turns.take()).toBe(false);
});
