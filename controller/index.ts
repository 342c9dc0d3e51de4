export { type Controller, startController } from "./controller.ts";
export {
  type ControllerOptions,
  type LiveSample,
  type Logger,
  POISONED_EXIT_CODE,
  type TelemetrySink,
} from "./controller-parts.ts";
