import fc from "fast-check";
import { expect, test } from "vitest";
import { repeatedField } from "./repeated-field.ts";

test.each([
  ['{"type":"MoveAbsolute","position":10,"position":20}', "position"],
  ['{"a":1,"\\u0061":2}', "a"],
  ['{"a":{"b":1,"b":2}}', "b"],
  ['[{"a":1},{"a":1}]', undefined],
  ['{"a":["a","a"],"b":"a"}', undefined],
  ['{"a":"x\\",\\"a\\":","b":{}}', undefined],
  ['{"a":{"a":1},"b":[{"a":1}],"c":2}', undefined],
  ["[]", undefined],
])("in %s the field that stands twice is %j", (text, field) => {
  expect(repeatedField(text)).toBe(field);
});

test("no text that JSON.stringify writes has a field twice, and any of its fields written again is found", () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, noNullPrototype: true });
  fc.assert(
    fc.property(object, fc.nat(), (value, nth) => {
      const text = JSON.stringify(value);
      expect(repeatedField(text)).toBeUndefined();
      const names = Object.keys(value);
      const name = names[nth % names.length] ?? "";
      expect(repeatedField(`${text.slice(0, -1)},${JSON.stringify(name)}:null}`)).toBe(name);
    }),
  );
});
