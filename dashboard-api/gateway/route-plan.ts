/** The two services behind the gateway. */
export type Service = "controller" | "dashboard";

/** Which service a request belongs to: whatever writes is the controller's, whatever reads is the read side's. */
export const serviceOf = (method: string): Service =>
  method === "GET" || method === "HEAD" || method === "OPTIONS" ? "dashboard" : "controller";

/** Stops pass the breaker and the rate limit: nothing in this process may keep one back. */
export const isStop = (method: string, path: string): boolean =>
  method === "POST" && /^\/v1\/(?:(?:axes|groups|links)\/[^/]+\/)?stop\/?$/.test(path);
