import { expect, test } from "vitest";
import { defaultUrl, gatewayUrl, portOf } from "./environment.ts";

test("a verb looks where the environment says, and at port 8080 when that is free to choose", () => {
  expect(defaultUrl({})).toBe("http://127.0.0.1:8080");
  expect(defaultUrl({ SERVOFLEET_PORT: "9000" })).toBe("http://127.0.0.1:9000");
  expect(defaultUrl({ SERVOFLEET_PORT: "0" })).toBe("http://127.0.0.1:8080");
  expect(defaultUrl({ SERVOFLEET_PORT: "9000", SERVOFLEET_HOST: "::1" })).toBe("http://[::1]:9000");
  expect(defaultUrl({ SERVOFLEET_URL: "http://box:1", SERVOFLEET_PORT: "9000" })).toBe("http://box:1");
});

test("a port is a whole number up to 65535; another word is wrong usage", () => {
  expect(portOf({})).toBeUndefined();
  expect(portOf({ SERVOFLEET_PORT: "0" })).toBe(0);
  expect(portOf({ SERVOFLEET_PORT: "65535" })).toBe(65_535);
  for (const text of ["abc", "-1", "65536", "80.5"]) expect(() => portOf({ SERVOFLEET_PORT: text })).toThrow(text);
});

test("an address is plain http with a host", () => {
  expect(gatewayUrl("http://127.0.0.1:8080/")).toBe("http://127.0.0.1:8080");
  for (const text of ["foo", "127.0.0.1:8080", "https://box", "file:///etc", ""])
    expect(() => gatewayUrl(text)).toThrow("no address");
});
