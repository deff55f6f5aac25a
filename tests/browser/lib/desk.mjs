// The page as a desk sees it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ARGUMENTS = [
  "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** A browser for the tests of one file. */
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });
}

/** One open page. Its errors are gathered and must be looked at in the end: see `assertQuiet`. */
export class Desk {
  static async open(browser, url, options = {}) {
    const context = await browser.newContext({ timezoneId: "Asia/Shanghai", ...options });
    const desk = new Desk();
    desk.context = context;
    desk.page = await context.newPage();
    desk.page.setDefaultTimeout(20000);
    desk.errors = [];
    desk.streams = 0;
    desk.page.on("pageerror", (error) => desk.errors.push(error.message));
    desk.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) desk.errors.push(message.text());
    });
    desk.page.on("request", (request) => { if (request.url().endsWith("/api/v1/stream")) desk.streams += 1; });
    await desk.page.goto(url);
    await desk.live();
    return desk;
  }

  async close() {
    await this.context.close();
  }

  /** Waits for a condition in the page. */
  until(condition, argument) {
    return this.page.waitForFunction(condition, argument);
  }

  connection(state) {
    return this.until((wanted) => document.getElementById("connection").dataset.state === wanted, state);
  }

  live() {
    return this.connection("live");
  }

  /** Waits until so many alerts are shown. */
  shows(count) {
    return this.until((wanted) => document.querySelectorAll("#alerts > li").length === wanted, count);
  }

  /** The card of an alert, by its place. */
  card(place) {
    return this.page.locator("#alerts > li", { has: this.page.getByRole("heading", { level: 2 }).filter({ hasText: place }) });
  }

  places() {
    return this.page.locator("#alerts h2").allTextContents();
  }

  /** Waits until the keyboard is where it should be: the button of a class on the card of a place. */
  focusOn(place, selector) {
    return this.until(([name, wanted]) => {
      const at = document.activeElement;
      return at.matches(wanted) && at.closest("li")?.querySelector("h2").textContent.includes(name);
    }, [place, selector]);
  }

  /** No violation of any rule that axe knows. */
  async assertAccessible() {
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(async () => {
      const { violations } = await globalThis.axe.run();
      return violations.map((found) => `${found.id}: ${found.help}: ${found.nodes[0].html.slice(0, 200)}`);
    });
    assert.deepEqual(found, []);
  }

  /** Neither the console nor the content policy had anything to say, but for what `expected` matches. */
  assertQuiet(expected) {
    assert.deepEqual(this.errors.filter((text) => !expected?.test(text)), []);
  }
}
