import { Box } from "./api.js";
import { onEscape, onPress } from "./press.js";
import { StopDesk } from "./stop-desk.js";
import { byId } from "./text.js";

/**
 * The page's stop, composed apart from all the rest: it works before anything has been read, and when another file of
 * the page is missing or broken.
 */
export const box = new Box();
export const stops = new StopDesk(box, byId("stop-answer"));

const stopAll = () => stops.stop("/v1/stop", "all axes");
onPress(byId("stop-all"), stopAll);
onEscape(stopAll);
byId("stop-answer").textContent = "";
