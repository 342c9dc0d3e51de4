import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { type FaultRefusal, setDriveFault, setLinkFault } from "./fault-request.ts";
import type { DrivePort } from "./reply-faults.ts";
import { SimError } from "./sim-error.ts";
import type { SimLink } from "./sim-link.ts";

const BODY_BYTES_MAX = 65_536;

interface Answer {
  status: number;
  body: unknown;
}

/**
 * The rig's hand on the simulation: `GET /drives`, `GET /drives/{id}?afterSeq=N`, `GET /links`,
 * `POST /drives/{id}/faults`, `POST /links/{id}/faults`. Loopback only; it can do nothing but upset simulated drives.
 */
export class ControlServer {
  readonly #links: readonly SimLink[];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #server: Server;

  constructor(links: readonly SimLink[], clock: Clock, random: Random) {
    this.#links = links;
    this.#clock = clock;
    this.#random = random;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Listens on 127.0.0.1 and returns the address as a URL. Throws SimError `port-taken`. */
  async open(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    }).catch((cause: unknown) => {
      throw new SimError("port-taken", { port, cause: String(cause) }, "choose another control port or 0");
    });
    const address = this.#server.address();
    return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : port}`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#answer(request).catch((cause: unknown) =>
      wrong(500, "internal", String(cause)),
    );
    response.writeHead(status, { "content-type": "application/json" });
    response.end(`${JSON.stringify(body)}\n`);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const [collection, id, faults, ...more] = url.pathname.split("/").slice(1);
    if (more.length > 0 || (faults !== undefined && faults !== "faults")) return notFound(url.pathname);
    if (collection !== "drives" && collection !== "links") return notFound(url.pathname);
    const expected = faults === undefined ? "GET" : "POST";
    if (request.method !== expected) return wrong(405, "wrong-method", `${expected} only`);
    if (collection === "drives")
      return this.#drives(request, id, faults !== undefined, url.searchParams.get("afterSeq"));
    return this.#linksRoute(request, id, faults !== undefined);
  }

  async #drives(
    request: IncomingMessage,
    id: string | undefined,
    faults: boolean,
    afterSeq: string | null,
  ): Promise<Answer> {
    const all = this.#links.flatMap((link) => link.ports.map((port) => ({ link, port })));
    if (id === undefined) return { status: 200, body: { drives: all.map(({ link, port }) => this.#show(link, port)) } };
    const found = all.find(({ port }) => port.drive.id === id);
    if (!found)
      return wrong(
        404,
        "no-such-drive",
        all.map(({ port }) => port.drive.id),
      );
    const { link, port } = found;
    if (faults) {
      const body = await readJson(request);
      if (body.at === "wrong") return body.answer;
      return ended(setDriveFault(port, link, body.value, this.#clock.monotonicNs()), () => this.#show(link, port));
    }
    const after = Number(afterSeq ?? 0);
    if (!Number.isInteger(after) || after < 0) return wrong(400, "bad-after-seq", "a whole number from 0");
    return { status: 200, body: { ...this.#show(link, port), record: port.drive.record.list(after) } };
  }

  async #linksRoute(request: IncomingMessage, id: string | undefined, faults: boolean): Promise<Answer> {
    if (id === undefined) return { status: 200, body: { links: this.#links.map(showLink) } };
    const link = this.#links.find((candidate) => candidate.id === id);
    if (!link)
      return wrong(
        404,
        "no-such-link",
        this.#links.map((candidate) => candidate.id),
      );
    if (!faults) return { status: 200, body: showLink(link) };
    const body = await readJson(request);
    if (body.at === "wrong") return body.answer;
    return ended(await setLinkFault(link, body.value, this.#random), () => showLink(link));
  }

  #show(link: SimLink, { drive, faults }: DrivePort): object {
    drive.advance(this.#clock.monotonicNs());
    const { motor, id, unit, model } = drive;
    const plant = {
      position: motor.position,
      velocity: motor.velocity,
      demand: motor.demand.position,
      torque: motor.torque,
      blocked: motor.blocked,
      homeSwitch: motor.homeSwitch,
      negativeLimit: motor.negativeLimit,
      positiveLimit: motor.positiveLimit,
    };
    return { id, link: link.id, unit, model, answering: drive.answering, ...drive.state(), plant, faults };
  }
}

function showLink(link: SimLink): object {
  const drives = link.ports.map(({ drive }) => drive.id);
  return { id: link.id, kind: link.kind, plugged: link.plugged, ...link.address(), drives };
}

function ended(refusal: FaultRefusal | undefined, show: () => object): Answer {
  if (refusal) return wrong(refusal.status, refusal.error, refusal.facts);
  return { status: 200, body: show() };
}

function wrong(status: number, error: string, facts: unknown): Answer {
  return { status, body: { error, facts } };
}

function notFound(path: string): Answer {
  return wrong(
    404,
    "no-such-route",
    `${path}; try /drives, /drives/{id}, /drives/{id}/faults, /links, /links/{id}/faults`,
  );
}

type JsonBody = { at: "read"; value: unknown } | { at: "wrong"; answer: Answer };

async function readJson(request: IncomingMessage): Promise<JsonBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      return { at: "wrong", answer: wrong(413, "too-long", `${BODY_BYTES_MAX} bytes at most`) };
    chunks.push(chunk);
  }
  try {
    return { at: "read", value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch (cause) {
    return { at: "wrong", answer: wrong(400, "bad-json", String(cause)) };
  }
}
