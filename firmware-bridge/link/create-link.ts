import type { LinkConfig } from "@servofleet/contracts";
import type { MbapFramer } from "../modbus/mbap-framer.ts";
import { MbapLanes } from "../modbus/mbap-lanes.ts";
import { RegisterCodec } from "../modbus/register-codec.ts";
import { RtuFramer } from "../modbus/rtu-framer.ts";
import { serialWire } from "../serial/serial-wire.ts";
import { SERVO_BROADCAST } from "../servo-bus/group-packet.ts";
import { dynamixelProtocol, feetechProtocol, ServoCodec } from "../servo-bus/servo-codec.ts";
import { ServoFramer } from "../servo-bus/servo-framer.ts";
import { lineCost } from "./bus-cost.ts";
import { Line } from "./line.ts";
import type { LinkParts } from "./line-parts.ts";
import type { Link } from "./link.ts";
import { tcpWire } from "./tcp-wire.ts";
import type { Wire } from "./wire.ts";

/** On a serial line unit 0 is everybody (Modbus over serial line v1.02, 2.2); on TCP it may be one drive. */
const BROADCAST_UNIT = 0;

/**
 * Makes the link of a configuration. It stays down until `open`; every failure of `transact` is a LinkError. A `given` wire
 * takes the place of the port or socket that the configuration names (simulation).
 */
export function createLink(config: LinkConfig, parts: LinkParts, given?: Wire): Link {
  const cost = lineCost(config);
  if (config.kind === "modbus-rtu") {
    return new Line(config, cost, {
      ...parts,
      wire: given ?? serialWire(config),
      framer: new RtuFramer(config.localEcho),
      codec: new RegisterCodec(),
      broadcastUnit: BROADCAST_UNIT,
      repliesHaveIds: false,
    });
  }
  if (config.kind === "dynamixel" || config.kind === "feetech") {
    const protocol = config.kind === "dynamixel" ? dynamixelProtocol : feetechProtocol;
    return new Line(config, cost, {
      ...parts,
      wire: given ?? serialWire({ ...config, parity: "none", stopBits: 1 }),
      framer: new ServoFramer(protocol.shape),
      codec: new ServoCodec(protocol),
      broadcastUnit: SERVO_BROADCAST,
      repliesHaveIds: false,
    });
  }
  if (config.kind === "modbus-rtu-over-tcp") {
    // Late answers are as ambiguous as on the wire behind the server, and the socket may die unseen.
    const wire = given ?? tcpWire(config, parts.clock);
    const rtu = { framer: new RtuFramer(), broadcastUnit: BROADCAST_UNIT, repliesHaveIds: false };
    return new Line(config, cost, { ...parts, ...rtu, wire, diesUnseen: true });
  }
  const [high = 0, low = 0] = parts.random.bytes(2);
  const lanes = new MbapLanes((high << 8) | low, config.inFlightMax ?? 1);
  const [framer] = lanes.framers as [MbapFramer];
  return new Line(config, cost, {
    ...parts,
    wire: given ?? tcpWire(config, parts.clock),
    framer,
    lanes,
    repliesHaveIds: true,
  });
}
