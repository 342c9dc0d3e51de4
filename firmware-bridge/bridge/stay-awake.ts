import { closeSync, openSync, writeSync } from "node:fs";

/** The kernel's PM quality of service for all cores (Documentation/power/pm_qos_interface): held while open. */
const DEVICE = "/dev/cpu_dma_latency";

/**
 * Asks the kernel to let no core sleep: waking one up costs some 50 us per frame, a twentieth of a fast line. The cores draw
 * full power meanwhile. Returns what lets them sleep again; null without the right to the device, or without the device.
 */
export function stayAwake(device = DEVICE): (() => void) | null {
  let fd: number | undefined;
  try {
    const opened = openSync(device, "w");
    fd = opened;
    // Longest wake-up that is tolerated, microseconds.
    writeSync(opened, new Uint8Array(new Int32Array([0]).buffer));
    return () => closeSync(opened);
  } catch {
    if (fd !== undefined) closeSync(fd);
    return null;
  }
}
