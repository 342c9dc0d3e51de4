import type { AxisId, FleetConfig } from "@servofleet/contracts";

/** What a stop is for. `name` as recorded: axis, group:<id>, link:<id>, all. */
export interface StopScope {
  readonly name: string;
  readonly axes: readonly AxisId[];
}

export type StopTarget =
  | { readonly kind: "axis"; readonly id: string }
  | { readonly kind: "group"; readonly id: string }
  | { readonly kind: "link"; readonly id: string }
  | { readonly kind: "all" };

/** The axes that a stop is for; null when the id is not configured. */
export function stopScope(config: FleetConfig, target: StopTarget): StopScope | null {
  switch (target.kind) {
    case "all":
      return { name: "all", axes: config.axes.map(({ id }) => id) };
    case "axis": {
      const axis = config.axes.find(({ id }) => id === target.id);
      return axis ? { name: "axis", axes: [axis.id] } : null;
    }
    case "group": {
      const group = config.groups.find(({ id }) => id === target.id);
      return group ? { name: `group:${group.id}`, axes: [...new Set(group.axes)] } : null;
    }
    case "link": {
      const link = config.links.find(({ id }) => id === target.id);
      if (!link) return null;
      const axes = config.axes.filter((axis) => axis.link === link.id).map(({ id }) => id);
      return { name: `link:${link.id}`, axes };
    }
  }
}
