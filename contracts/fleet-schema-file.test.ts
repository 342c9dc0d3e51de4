import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FleetConfigSchema } from "./fleet-config.ts";

test("the shipped fleet.schema.json is the schema that the loader checks", () => {
  const shipped = JSON.parse(readFileSync(new URL("fleet.schema.json", import.meta.url), "utf8"));
  expect(shipped).toEqual({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...JSON.parse(JSON.stringify(FleetConfigSchema)),
  });
});
