import { escape as escapeSocketPath } from "node:querystring";
import httpProxy, { type FastifyHttpProxyOptions } from "@fastify/http-proxy";
import { type FleetConfig, PROBLEMS, type ProblemFacts, problemDocument } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { uuidV7 } from "@servofleet/runtime/random-id";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { CommandTurns } from "./command-turns.ts";
import { readPageFiles } from "./page-files.ts";
import { wrongMethod } from "./path-methods.ts";
import { BODY_MAX_BYTES, guardRequest, isLoopback } from "./request-guard.ts";
import { CONTROLLER_READS, isStop, isWrite, type Service, serviceOf } from "./route-plan.ts";
import { TokenBuckets } from "./token-bucket.ts";
import { answerUnreadable } from "./unreadable-request.ts";

/** A service that has not begun to answer by then counts as dead (reads may wait up to their `waitMs`, writes up to `Prefer: wait`). */
export const ANSWER_LIMIT_MS: Record<Service, number> = { dashboard: 15_000, controller: 75_000 };
/** URL prefixes that are passed on; everything else is answered here. */
const PREFIXES: Record<Service, readonly string[]> = {
  controller: ["/v1"],
  dashboard: ["/v1", "/problems", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs"],
};

/** The gateway refused to start; `hint` says what to do. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: "not-loopback" | "port-taken";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: GatewayError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

export interface GatewayParts {
  readonly http: FleetConfig["http"];
  readonly controllerSocket: string;
  readonly dashboardSocket: string;
  readonly pageDirectory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: FastifyBaseLogger;
}

/** The one public port: guards, rate limit, breaker, page; writes go to the controller, reads to the read side. */
export async function startGateway(parts: GatewayParts): Promise<{ address: string; close(): Promise<void> }> {
  const { host, port } = parts.http;
  if (!isLoopback(host)) {
    throw new GatewayError(
      "not-loopback",
      { host },
      `will not listen on ${host}: there are no users yet, so everybody who reaches the port could move an axis; set http.host to 127.0.0.1 and reach it through a tunnel`,
    );
  }
  const app = Fastify({
    loggerInstance: parts.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    forceCloseConnections: true,
    trustProxy: false,
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (_error, request, reply) => {
      refuse(reply, request, UNREADABLE_PATH);
    },
  });
  const breakers: Record<Service, CircuitBreaker> = {
    controller: new CircuitBreaker(),
    dashboard: new CircuitBreaker(),
  };
  addGuards(app, parts, breakers);
  addPage(app, parts.pageDirectory);
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, request, {
      slug: "not-found",
      detail: `nothing is served at ${request.url}`,
      remedy: "see /docs for what is",
    }),
  );
  await addService(app, "controller", parts.controllerSocket, breakers.controller, parts.clock);
  await addService(app, "dashboard", parts.dashboardSocket, breakers.dashboard, parts.clock);
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new GatewayError(
      "port-taken",
      { host, port },
      `port ${port} is taken by another program; choose another with http.port or SERVOFLEET_PORT (0 picks a free one)`,
    );
  }
  const bound = app.server.address();
  const boundPort = typeof bound === "object" && bound ? bound.port : port;
  return { address: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`, close: () => app.close() };
}

function refuse(reply: FastifyReply, request: FastifyRequest, facts: ProblemFacts, retryAfterS?: number): FastifyReply {
  if (retryAfterS !== undefined) reply.header("Retry-After", String(retryAfterS));
  // Nobody reads the rest of a long body: the client's next request must not wait behind it on this connection.
  if (facts.slug === "payload-too-large" || isCutShort(request)) reply.header("Connection", "close");
  const path = request.url.split("?")[0] ?? "/";
  return reply
    .code(PROBLEMS[facts.slug].status)
    .type("application/problem+json")
    .header("Cache-Control", "no-store")
    .send(Buffer.from(JSON.stringify(problemDocument(facts, path))));
}

/** Its body was being passed on when the service went away. */
const isCutShort = (request: FastifyRequest): boolean => request.raw.readableDidRead && !request.raw.complete;

const dead = (service: Service): ProblemFacts => ({
  slug: "service-unavailable",
  detail:
    service === "controller"
      ? "the controller does not answer: nothing new can be asked of the axes here"
      : "the read side does not answer: states cannot be shown",
  remedy:
    service === "controller"
      ? "try again in a second with the same Idempotency-Key; to stop axes use `servofleet stop` on the box, or the hard-wired circuit"
      : "try again in a second; commands and stops still work",
});

function addGuards(app: FastifyInstance, parts: GatewayParts, breakers: Record<Service, CircuitBreaker>): void {
  const buckets = new TokenBuckets();
  const turns = new CommandTurns(parts.clock);
  app.addHook("onRequest", async (request, reply) => {
    const path = request.url.split("?")[0] ?? "/";
    const problem = guardRequest(request.method, request.headers, parts.http.host);
    if (problem) return refuse(reply, request, problem);
    if (isStop(request.method, path)) return undefined;
    const wrong = wrongMethod(request.method, path);
    if (wrong) return refuse(reply.header("Allow", wrong.allow), request, wrong.facts);
    const service = serviceOf(request.method, path);
    const nowMs = parts.clock.monotonicMs();
    if (service === "controller" && !buckets.take(request.ip, nowMs)) {
      return refuse(
        reply,
        request,
        {
          slug: "rate-limited",
          detail: "more commands than this client may send",
          remedy: "slow down; stops are never limited",
        },
        1,
      );
    }
    if (isWrite(request.method) && request.headers["idempotency-key"] === undefined)
      request.headers["idempotency-key"] = uuidV7(parts.clock, parts.random);
    if (path.startsWith("/assets/") || path === "/" || path === "/livez") return undefined;
    if (!breakers[service].admits(nowMs)) {
      const retryAfterMs = breakers[service].retryAfterMs(nowMs);
      return refuse(reply, request, dead(service), Math.max(1, Math.ceil(retryAfterMs / 1000)));
    }
    // Whoever asked to wait for the end holds its connection for long and would keep the others' turns.
    if (isWrite(request.method) && request.headers.prefer === undefined) return awaitTurn(turns, request, reply);
    return undefined;
  });
}

async function awaitTurn(turns: CommandTurns, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (!(await turns.take())) return refuse(reply, request, BUSY, 1);
  // Nobody is there any more: what was not passed on yet is not passed on late.
  if (reply.raw.closed || reply.raw.destroyed) {
    turns.giveBack();
    return reply.hijack();
  }
  reply.raw.once("close", () => turns.giveBack());
  return undefined;
}

const UNREADABLE_PATH: ProblemFacts = {
  slug: "validation-error",
  detail: "the path cannot be read",
  remedy: "check its percent-encoding and length",
};

const BUSY: ProblemFacts = {
  slug: "queue-full",
  detail: "more commands wait here than the controller takes in time; nothing was passed on",
  remedy: "try again in a second with the same Idempotency-Key; stops never wait",
};

function addPage(app: FastifyInstance, directory: string): void {
  for (const [path, file] of readPageFiles(directory)) {
    app.get(path, async (_request, reply) =>
      reply
        .type(file.type)
        .header("Cache-Control", "no-cache")
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .header(
          "Content-Security-Policy",
          "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        )
        .send(file.body),
    );
  }
  app.get("/livez", async (_request, reply) => reply.header("Cache-Control", "no-store").send({ status: "alive" }));
}

async function addService(
  app: FastifyInstance,
  service: Service,
  socket: string,
  breaker: CircuitBreaker,
  clock: Clock,
): Promise<void> {
  const proxy = proxyOptions(service, socket, breaker, clock);
  for (const prefix of PREFIXES[service]) await app.register(httpProxy, { prefix, rewritePrefix: prefix, ...proxy });
  if (service === "controller") {
    for (const prefix of CONTROLLER_READS)
      await app.register(httpProxy, { prefix, rewritePrefix: prefix, ...proxy, httpMethods: ["GET", "HEAD"] });
  }
}

/** What the proxy does for one service, whatever the prefix. */
function proxyOptions(service: Service, socket: string, breaker: CircuitBreaker, clock: Clock) {
  return {
    upstream: `unix+http://${escapeSocketPath(socket)}/`,
    httpMethods: service === "dashboard" ? ["GET", "HEAD", "OPTIONS"] : ["POST", "PUT", "PATCH", "DELETE"],
    // No limit on connections: a stop never waits for one that a long poll holds.
    undici: { headersTimeout: ANSWER_LIMIT_MS[service], bodyTimeout: 0, connections: null, pipelining: 1 },
    // A request whose answer was lost is the caller's to repeat, with the same key: never this process's.
    retryMethods: [],
    replyOptions: {
      // The services trust these headers from this socket only, so a caller cannot claim to be somebody.
      rewriteRequestHeaders: (request, headers) => {
        const key = request.headers["idempotency-key"];
        return { ...headers, "x-forwarded-for": request.ip, ...(key === undefined ? {} : { "idempotency-key": key }) };
      },
      rewriteHeaders: (headers) => {
        breaker.succeeded();
        return headers;
      },
      onError: (reply) => {
        breaker.failed(clock.monotonicMs());
        const answer = reply as unknown as FastifyReply;
        refuse(answer, answer.request, dead(service), 1);
      },
    },
  } satisfies Omit<FastifyHttpProxyOptions, "prefix">;
}
