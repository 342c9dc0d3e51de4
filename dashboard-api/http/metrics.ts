import type { Clock } from "@servofleet/runtime/clock";
import { Counter, Gauge, Registry } from "prom-client";
import type { LiveClient } from "../live/live-client.ts";
import type { LiveValues } from "../live/live-values.ts";
import type { ReadModel } from "../read-model/read-model.ts";
import { alarmState } from "../views/alarm-view.ts";
import { haltedAlarms } from "./alarm-routes.ts";
import type { SseChannels } from "./sse-channel.ts";

export interface Measured {
  readonly model: ReadModel;
  readonly live: LiveValues;
  readonly liveClient: LiveClient;
  readonly channels: SseChannels;
  readonly clock: Clock;
  readonly version: string;
}

/** Figures of the read side for Prometheus, read when asked for. Names: one prefix, base units, no ids of commands. */
export function metricsOf(measured: Measured): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) =>
    new Gauge({
      name: `servofleet_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  gauge("dashboard_info", "Version of the read side", ["version"], (g) => g.set({ version: measured.version }, 1));
  projectionGauges(measured, gauge);
  valueGauges(measured, gauge);
  const { channels, model, liveClient } = measured;
  gauge("log_position", "Highest log position known", [], (g) => g.set(model.known));
  gauge("position_waiters", "Requests that wait for a log position", [], (g) => g.set(model.waiters.size));
  gauge("sse_clients", "Open event and live streams", [], (g) => g.set(channels.size));
  gauge("live_socket_connected", "1 while the controller passes live values on", [], (g) =>
    g.set(liveClient.connected ? 1 : 0),
  );
  const overflows = new Counter({
    name: "servofleet_sse_overflows_total",
    help: "Streams closed because their client was too slow",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(channels.overflows);
    },
  });
  void overflows;
  return registry;
}

type AddGauge = (name: string, help: string, labels: string[], collect: (gauge: Gauge) => void) => Gauge;

function projectionGauges({ model, clock }: Measured, gauge: AddGauge): void {
  const each = (name: string, help: string, value: (projector: (typeof model.all)[number]) => number) =>
    gauge(name, help, ["projection"], (g) => {
      for (const projector of model.all) g.set({ projection: projector.projection.name }, value(projector));
    });
  each("projection_position", "Log position a projection has reached", (p) => p.position);
  each("projection_lag_events", "Events a projection is behind the log", (p) => Math.max(0, model.known - p.position));
  each(
    "projection_lag_seconds",
    "Time since a projection last stood at the end of the log",
    (p) => p.lagMs(clock.monotonicMs()) / 1000,
  );
  each("projection_halted", "1 for a projection that stopped", (p) => (p.halted ? 1 : 0));
  each("projection_persisted", "0 while a projection's file cannot be written", (p) => (p.persisted ? 1 : 0));
}

function valueGauges({ model, live, clock }: Measured, gauge: AddGauge): void {
  gauge("axis_position_age_seconds", "Age of the newest measured position", ["axis"], (g) => {
    for (const row of model.projectors.axes.rows.values()) {
      const sample = row.configured ? live.sample(row.id) : undefined;
      if (sample) g.set({ axis: row.id }, Math.max(0, clock.monotonicMs() - sample.bornMs) / 1000);
    }
  });
  gauge("axis_state", "1 for the state an axis is in", ["axis", "state"], (g) => {
    for (const row of model.projectors.axes.rows.values())
      if (row.configured) g.set({ axis: row.id, state: row.state }, 1);
  });
  gauge("alarms_active", "Alarms that are neither cleared nor shelved", [], (g) => {
    let active = haltedAlarms(model).length;
    for (const row of model.projectors.alarms.rows.values()) {
      const state = alarmState(row, clock.wallUs());
      if (state === "active" || state === "acknowledged") active++;
    }
    g.set(active);
  });
}
