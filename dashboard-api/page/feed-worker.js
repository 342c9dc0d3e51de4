import { Feed } from "./feed.js";

/**
 * One feed for all tabs of this browser. Each stream holds one of its six connections to the box for good; with two per
 * tab, the fourth tab's stop would wait for ever.
 */

/** @type {Set<MessagePort>} */
const ports = new Set();
const feed = new Feed((news) => {
  for (const port of ports) port.postMessage(news);
});

self.addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  if (!port) return;
  port.onmessage = ({ data }) => {
    if (data === "give way") feed.giveWay();
    if (data === "bye") ports.delete(port);
  };
  for (const news of feed.known()) port.postMessage(news);
  ports.add(port);
});
feed.start();
