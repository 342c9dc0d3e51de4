import { onShutdownRequest } from "./service-process.ts";
import { call } from "./verbs/api-client.ts";

/** What has to be brought to an end, in the reverse order of its start. */
export interface BoxEnd {
  add(end: () => Promise<void>): void;
  /** Runs the start; when it fails, ends what it had started and throws. An end that was asked for wins over both. */
  unlessAsked(start: () => Promise<void>): Promise<void>;
}

/**
 * Takes the requests to end from the first moment on, so that a Ctrl-C in mid-start leaves nothing behind. Ends with 0.
 * A second Ctrl-C stops every axis now, whatever its `onShutdown` allows; what hangs is killed by its own limit, not by haste.
 */
export function endOfBox(controllerSocket: string): BoxEnd {
  const ends: (() => Promise<void>)[] = [];
  let ending: Promise<void> | undefined;
  const endAll = (): Promise<void> => {
    ending ??= (async () => {
      for (let end = ends.pop(); end; end = ends.pop()) await end();
    })();
    return ending;
  };
  let asked = false;
  const onAsked = async (): Promise<number> => {
    asked = true;
    await endAll();
    return 0;
  };
  onShutdownRequest(onAsked, () => stopEveryAxis(controllerSocket));
  return {
    add: (end) => void ends.push(end),
    async unlessAsked(start) {
      try {
        await start();
      } catch (error) {
        await endAll();
        if (!asked) throw error;
      }
    },
  };
}

function stopEveryAxis(controllerSocket: string): void {
  process.stderr.write("still stopping; asking every axis for a software stop now\n");
  call({ kind: "socket", path: controllerSocket }, "POST", "/v1/stop").catch((error: Error) =>
    process.stderr.write(`${error.message}\n`),
  );
}
