// Waiting for a condition outside the browser.

import { setTimeout as pause } from "node:timers/promises";

/** Returns the first truthy answer of `look`; throws with `what` after `seconds`. */
export async function until(what, look, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await look();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(20);
  }
}
