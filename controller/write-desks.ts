import type { AxisId } from "@servofleet/contracts";
import type { WriteApi } from "./api/write-api.ts";
import { JogDesk } from "./authority/jog-desk.ts";
import type { LeaseBook } from "./authority/lease-book.ts";
import { LeaseDesk } from "./authority/lease-desk.ts";
import type { BridgeLink } from "./bridge-link/bridge-link.ts";
import { CaptureDesk } from "./bridge-link/capture-desk.ts";
import type { ControllerOptions } from "./controller-parts.ts";
import type { Dispatcher } from "./dispatch/dispatcher.ts";
import { Admission } from "./inbox/admission.ts";
import type { AxisBook } from "./inbox/axis-book.ts";
import { CommandDesk } from "./inbox/command-desk.ts";
import { CommandIdentity } from "./inbox/command-identity.ts";
import type { CommandWaiters } from "./inbox/command-waiters.ts";
import type { Journal } from "./inbox/journal.ts";
import { ProgramDesk } from "./programs/program-desk.ts";
import type { ProgramShelf } from "./programs/program-shelf.ts";
import { RunDesk } from "./programs/run-desk.ts";
import { RunEngine } from "./programs/run-engine.ts";
import { TriggerDesk } from "./programs/trigger-desk.ts";
import type { StopLane } from "./stop/stop-lane.ts";

export interface WriteDeskParts {
  readonly options: ControllerOptions;
  readonly book: AxisBook;
  readonly journal: Journal;
  readonly link: BridgeLink;
  readonly stopLane: StopLane;
  readonly dispatcher: Dispatcher;
  readonly leases: LeaseBook;
  readonly waiters: CommandWaiters;
  /** Programs and open runs of the former life. */
  readonly shelf: ProgramShelf;
  readonly shuttingDown: () => boolean;
  /** The axis is still being read after a start or a change of bridge. */
  readonly beingRead: (axis: AxisId) => boolean;
  readonly unready: () => string | null;
}

/** Everything that takes wishes from outside, and its end. */
export interface WriteDesks {
  readonly api: WriteApi;
  close(): void;
}

/** Sets up the desks behind the write API. */
export function openWriteDesks(parts: WriteDeskParts): WriteDesks {
  const { options, book, journal, link, stopLane, dispatcher, leases, waiters, unready } = parts;
  const { config, log, bus, clock, random, logger } = options;
  const admission = new Admission({
    log,
    book,
    journal,
    waiting: () => dispatcher.waiting,
    shuttingDown: parts.shuttingDown,
    beingRead: parts.beingRead,
  });
  const desk = new CommandDesk({
    log,
    book,
    journal,
    admission,
    leases,
    identity: new CommandIdentity(log.logId, random),
    clock,
    dispatch: dispatcher,
  });
  const leaseDesk = new LeaseDesk({ config, book, leases, journal, link, stopLane, desk, clock, random, logger });
  const jogs = new JogDesk({ book, leases, leaseDesk, desk, link, clock, random });
  journal.onRecorded((recorded) => jogs.recorded(recorded));
  const identity = new CommandIdentity(log.logId, random);
  const saga = openPrograms({ ...parts, admission, leaseDesk, identity });
  const captures = new CaptureDesk({ bus, clock, random, bridgeAlive: () => link.alive });
  const taking = { admission, desk, waiters, stopLane, captures, leases, leaseDesk, jogs, ...saga.desks };
  return {
    api: { config, log, book, journal, ...taking, clock, logger, unready },
    close() {
      saga.close();
      leaseDesk.close();
      captures.close();
    },
  };
}

interface SagaParts extends WriteDeskParts {
  readonly admission: Admission;
  readonly leaseDesk: LeaseDesk;
  readonly identity: CommandIdentity;
}

/** Programs, their runs and their triggers. */
function openPrograms(parts: SagaParts) {
  const { options, journal, book, shelf, dispatcher } = parts;
  const { config, log, bus, clock, logger } = options;
  const wallUs = () => clock.wallUs();
  const engine = new RunEngine({
    ...parts,
    log,
    clock,
    logger,
    dispatch: (command, deadlineMs, terms) => dispatcher.enqueue(command, deadlineMs, terms),
  });
  const programs = new ProgramDesk({ config, journal, shelf, wallUs });
  const runs = new RunDesk({ ...parts, config, log, engine, wallUs });
  const triggers = new TriggerDesk({ config, book, journal, programs, runs, engine, clock, logger });
  journal.onDecided((entries) => {
    triggers.decided(entries);
    engine.decided(entries);
  });
  journal.onRecorded((recorded) => {
    triggers.recorded(recorded);
    engine.recorded(recorded);
  });
  const end = bus.subscribe("samples", (message) => {
    if (message.type !== "samples") return;
    for (const { axis, positionCounts: counts, atUs } of message.samples) engine.sampled(axis, { counts, atUs });
  });
  return {
    desks: { programs, runs, triggers },
    close() {
      end();
      engine.close();
    },
  };
}
