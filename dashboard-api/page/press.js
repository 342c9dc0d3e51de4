/** A click so soon after a press is the end of that press, not another one. */
const PRESS_MS = 1000;

/**
 * Acts when the button goes down, not when it comes up again somewhere: by mouse, finger, pen, key or assistive
 * technology, once per press.
 * @param {HTMLElement} button
 * @param {() => void} act
 */
export function onPress(button, act) {
  let pressedAtMs = Number.NEGATIVE_INFINITY;
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressedAtMs = event.timeStamp;
    act();
  });
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    // Keys click with detail 0; a pointer's click follows a press that has acted already.
    if (event.detail === 0 || event.timeStamp - pressedAtMs > PRESS_MS) act();
  });
}

/**
 * Escape, wherever the focus is: seen before any field, panel or other listener can keep it.
 * @param {() => void} act
 */
export function onEscape(act) {
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || event.repeat) return;
      act();
    },
    { capture: true },
  );
}
