import { Feed } from "./feed.js";

/** @typedef {import("./feed.js").News} News */

/**
 * Opens the feed, shared with the other tabs where the browser can (Chrome on Android cannot yet).
 * @param {(news: News) => void} tell
 * @returns {{giveWay(): void}}
 */
export function openFeed(tell) {
  if (!("SharedWorker" in window)) return openOwn(tell);
  const worker = new SharedWorker("/assets/feed-worker.js", { type: "module", name: "feed" });
  /** @type {{giveWay(): void}} */
  let feed = { giveWay: () => worker.port.postMessage("give way") };
  worker.addEventListener("error", () => {
    feed = openOwn(tell);
  });
  worker.port.onmessage = ({ data }) => tell(data);
  window.addEventListener("pagehide", () => worker.port.postMessage("bye"));
  // Back from the browser's memory the picture is old and the feed has said farewell.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  return { giveWay: () => feed.giveWay() };
}

/** A tab that nobody sees holds no connection: two or three tabs with a feed each would hold them all.
 * @param {(news: News) => void} tell */
function openOwn(tell) {
  const feed = new Feed(tell);
  if (!document.hidden) feed.start();
  document.addEventListener("visibilitychange", () => {
    feed.rest();
    if (!document.hidden) feed.start();
  });
  return feed;
}
