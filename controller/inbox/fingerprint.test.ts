import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalJson, fingerprint } from "./fingerprint.ts";

it("writes the same text for objects that differ in the order of their keys only", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(canonicalJson(turned)).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

it("covers method, path and body", () => {
  const all = [
    fingerprint("POST", "/v1/axes/x1/commands", { a: 1 }),
    fingerprint("POST", "/v1/axes/x2/commands", { a: 1 }),
    fingerprint("PUT", "/v1/axes/x1/commands", { a: 1 }),
    fingerprint("POST", "/v1/axes/x1/commands", { a: 2 }),
  ];
  expect(new Set(all).size).toBe(all.length);
});
