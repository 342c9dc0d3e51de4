import { expect, test } from "vitest";
import { parseScenario, readScenarios } from "./scenario-file.ts";
import { stepWords } from "./step-words.ts";

const complaintsOf = (text: string) => parseScenario(text, "x.yaml").complaints.map(({ path }) => path);

test("every scenario that ships can be read, has a title of its own and says each step in words", () => {
  const scenarios = readScenarios();
  expect(scenarios.length).toBeGreaterThanOrEqual(40);
  expect(new Set(scenarios.map(({ title }) => title)).size).toBe(scenarios.length);
  for (const { name, steps } of scenarios) for (const step of steps) expect(stepWords(step), name).toMatch(/^\S.{3,}$/);
});

test("steps get their defaults", () => {
  const { scenario, complaints } = parseScenario(
    "title: t\nsteps:\n  - { do: stop }\n  - { do: until, state: standstill }\n",
    "a-stop.yaml",
  );
  expect(complaints).toEqual([]);
  expect(scenario).toMatchObject({
    name: "a-stop",
    start: "ready",
    neighbour: "none",
    steps: [
      { do: "stop", axis: "a", what: "axis", result: "acknowledged" },
      { do: "until", axis: "a", state: "standstill", withinMs: 15_000 },
    ],
  });
});

test("every mistake is named by its path", () => {
  expect(
    complaintsOf(
      "title: t\nneeds: [hands]\nsteps:\n  - { do: move }\n  - { do: stop, wat: all }\n  - { do: command }\n",
    ),
  ).toEqual(["needs[0]", "steps[0].do", "steps[1].wat", "steps[2].type"]);
});

test("a name that nobody gave and a neighbour that nobody asked for are mistakes", () => {
  expect(
    complaintsOf(
      "title: t\nsteps:\n  - { do: until, command: move, commandState: succeeded }\n  - { do: stop, axis: b }\n  - { do: unmoved, since: before }\n",
    ),
  ).toEqual(["steps[0].command", "steps[1].axis", "steps[2].since"]);
});

test("what is not YAML is one complaint", () => {
  expect(parseScenario("title: [", "x.yaml").complaints).toHaveLength(1);
});
