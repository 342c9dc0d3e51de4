/** The two services behind the gateway. */
export type Service = "controller" | "dashboard";

/** Reads that only the controller can answer: it alone knows who controls an axis, and the bridge keeps the frames. */
export const CONTROLLER_READS = ["/v1/links/:link/capture", "/v1/leases", "/v1/programs"];

/** Whether a request changes something. */
export const isWrite = (method: string): boolean => method !== "GET" && method !== "HEAD" && method !== "OPTIONS";

/** Which service a request belongs to: whatever writes is the controller's, whatever reads is the read side's. */
export const serviceOf = (method: string, path: string): Service =>
  isWrite(method) || /^\/v1\/(?:links\/[^/]+\/capture|(?:leases|programs)(?:\/[^/]+)?)\/?$/.test(path)
    ? "controller"
    : "dashboard";

/** Stops pass the breaker and the rate limit: nothing in this process may keep one back. */
export const isStop = (method: string, path: string): boolean =>
  method === "POST" && /^\/v1\/(?:(?:axes|groups|links)\/[^/]+\/)?stop\/?$/.test(path);
