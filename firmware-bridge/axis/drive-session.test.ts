import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { LinkError } from "../link/link.ts";
import { DriveProfile } from "../profile/drive-profile.ts";
import { builtInProfile } from "./testing/built-in-profile.ts";
import { DriveSession, READ_TRIES } from "./drive-session.ts";
import { MemoryLink } from "./testing/memory-link.ts";
import { TestPathTable } from "./testing/test-path-table.ts";
