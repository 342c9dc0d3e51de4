import { expect, test } from "vitest";
import { checkDocument } from "./schema-complaints.ts";

const OneOrMany = {
  type: "object",
  required: ["value"],
  properties: {
    value: { anyOf: [{ type: "number" }, { type: "array", items: { type: "number" }, minItems: 1, maxItems: 3 }] },
  },
  additionalProperties: false,
};
const complaintsAbout = (value: unknown) => checkDocument(OneOrMany, { value }).complaints;

test.each([[1.5], [[1]], [[1, -2, 3]]])("a number or a list of numbers is taken: %j", (value) => {
  expect(complaintsAbout(value)).toEqual([]);
  expect(checkDocument(OneOrMany, { value }).value).toEqual({ value });
});

test.each([
  ["x", "value", '"x"', "a number or a list of 1 to 3 entries"],
  [null, "value", "null", "a number or a list of 1 to 3 entries"],
  [{ 0: 1 }, "value", '{"0":1}', "a number or a list of 1 to 3 entries"],
  [[], "value", "0 entries", "a list of 1 to 3 entries"],
  [[1, 2, 3, 4], "value", "4 entries", "a list of 1 to 3 entries"],
  [[1, "2"], "value[1]", '"2"', "a number"],
  [[1, [2]], "value[1]", "[2]", "a number"],
])("what is neither is told with its place: %j", (value, path, found, allowed) => {
  expect(complaintsAbout(value)).toEqual([{ path, found, allowed, nearest: undefined }]);
});
