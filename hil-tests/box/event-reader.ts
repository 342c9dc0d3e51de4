/** One message of a `text/event-stream`. */
export interface StreamMessage {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** A stream was refused. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly code = "stream-refused";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "see the status and the body";
  constructor(url: string, status: number, body: string) {
    super(`${url} answered ${status}: ${body}`);
    this.facts = { url, status };
  }
}

/** An open event stream; `messages` fills as they arrive. */
export interface EventReader {
  readonly headers: Headers;
  readonly messages: readonly StreamMessage[];
  close(): void;
}

/** Opens a server-sent event stream. @throws StreamError when it is refused */
export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { accept: "text/event-stream", ...headers }, signal: abort.signal });
  if (response.status !== 200 || !response.body) throw new StreamError(url, response.status, await response.text());
  const messages: StreamMessage[] = [];
  void collect(response.body, messages).catch((error: unknown) => {
    if (!abort.signal.aborted) messages.push({ id: null, event: "broken", data: String(error) });
  });
  return { headers: response.headers, messages, close: () => abort.abort() };
}

async function collect(body: ReadableStream<Uint8Array>, messages: StreamMessage[]): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const message = parseBlock(block);
      if (message) messages.push(message);
    }
  }
}

function parseBlock(block: string): StreamMessage | undefined {
  const values = (name: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""));
  const data = values("data");
  if (data.length === 0) return undefined;
  return { id: values("id").at(-1) ?? null, event: values("event").at(-1) ?? "message", data: data.join("\n") };
}
