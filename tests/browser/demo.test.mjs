// The whole city in one process, as `make demo` starts it: does its page live?

import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort, ready, startChorus } from "./lib/center.mjs";
import { Desk, launch } from "./lib/desk.mjs";

test("the demo's page shows alerts of the city within a minute, and a clean end is said", async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const running = startChorus(["demo", "--port", String(port)]);
  const browser = await launch();
  try {
    await ready(running, url, 60);
    const desk = await Desk.open(browser, url);
    desk.page.setDefaultTimeout(60000);
    await desk.until(() => document.querySelectorAll("#alerts > li").length >= 3);
    const card = desk.page.locator("#alerts > li").first();
    for (const part of [".severity", ".place", ".summary", ".reasons li"]) {
      assert.notEqual((await card.locator(part).first().textContent()).trim(), "", part);
    }
    assert.doesNotMatch(await desk.page.locator("main").textContent(), /undefined|null|NaN|Invalid Date/);
    await desk.assertAccessible();
    desk.assertQuiet();
    // For people who want to look at it: SCREENSHOT=page.png tests/browser/run.sh demo.test.mjs
    if (process.env.SCREENSHOT) await desk.page.screenshot({ path: process.env.SCREENSHOT });
    running.child.kill("SIGINT");
    await desk.connection("lost");
    assert.equal(await running.ended, 0, running.said());
  } finally {
    await browser.close();
    running.child.kill("SIGKILL");
    await running.ended;
  }
});
