import type { RigReport } from "./rig-result.ts";
/** x */
export const htmlReport = (report: RigReport): string => JSON.stringify(report);
