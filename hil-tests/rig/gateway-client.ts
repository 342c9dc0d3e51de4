import type {
  AcceptedView,
  AxisView,
  CloudEvent,
  CommandView,
  LinkView,
  Page,
  ProblemDocument,
} from "@servofleet/contracts";
import type { Answer, DriveView } from "../box/running-box.ts";
import { request } from "../box/running-box.ts";
import { StepError } from "./rig-error.ts";

/** What the rig does to the product: the public REST API, as any outsider would, and to simulated drives their control port. */
export class GatewayClient {
  readonly url: string;
  readonly control: string | null;

  constructor(url: string, control: string | null) {
    this.url = url;
    this.control = control;
  }

  /** One request; status and body as they come. Throws what `fetch` throws when nobody answers. */
  call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return request<T>(this.url + path, method, body, headers);
  }

  async axes(): Promise<readonly AxisView[]> {
    return (await this.#read<Page<AxisView>>("/v1/axes")).items;
  }

  axis(id: string): Promise<AxisView> {
    return this.#read(`/v1/axes/${id}`);
  }

  command(id: string): Promise<CommandView> {
    return this.#read(`/v1/commands/${id}`);
  }

  link(id: string): Promise<LinkView> {
    return this.#read(`/v1/links/${id}`);
  }

  async recoveries(): Promise<readonly CloudEvent[]> {
    return (await this.#read<Page<CloudEvent>>("/v1/events?type=RecoveryCompleted")).items;
  }

  send(
    axis: string,
    body: object,
    headers: Record<string, string> = {},
  ): Promise<Answer<AcceptedView & ProblemDocument>> {
    return this.call("POST", `/v1/axes/${axis}/commands`, body, headers);
  }

  /** A simulated drive's own view; throws StepError where there is no control port. */
  async drive(id: string, afterSeq = 0): Promise<DriveView> {
    return (await this.#controlled<DriveView>("GET", `/drives/${id}?afterSeq=${afterSeq}`)).body;
  }

  /** Upsets a simulated drive or line. @throws StepError with the simulator's words when it cannot do that */
  async upset(at: "drives" | "links", id: string, fault: object): Promise<void> {
    const { status, body } = await this.#controlled("POST", `/${at}/${id}/faults`, fault);
    if (status !== 200) throw new StepError(`the simulator refused the fault: ${JSON.stringify(body)}`, { fault });
  }

  async #controlled<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    if (this.control === null) throw new StepError("this rig has no fault control");
    return request<T>(this.control + path, method, body, {});
  }

  async #read<T>(path: string): Promise<T> {
    const { status, body } = await this.call<T>("GET", path);
    if (status !== 200) throw new StepError(`GET ${path} answered ${status}: ${JSON.stringify(body)}`, { status });
    return body;
  }
}
