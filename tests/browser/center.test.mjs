// The centre's page: what it shows, and what a desk does with it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Center, alert } from "./lib/center.mjs";
import { Desk, launch } from "./lib/desk.mjs";
import { until } from "./lib/until.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** A test with a centre of its own and one open page, which must not have complained in the end. */
function deskTest(name, work, { token, expected } = {}) {
  test(name, async () => {
    const center = await Center.start({ token });
    try {
      const desk = await Desk.open(browser, center.url);
      await work(desk, center);
      desk.assertQuiet(expected);
      await desk.close();
    } finally {
      await center.close();
    }
  });
}

deskTest("an alert is on the page as it arrives, with severity, place, kind, reason and time", async (desk, center) => {
  assert.equal(await desk.page.locator("#empty").isVisible(), true);
  await center.deliver(alert(1, { severity: "critical" }));
  await desk.shows(1);
  const card = desk.card("实验小学1");
  assert.equal(await card.locator(".severity").textContent(), "特急");
  assert.equal(await card.locator(".status").textContent(), "持续中");
  assert.equal(await card.locator(".state").textContent(), "待受理");
  assert.equal(await card.locator(".place").textContent(), "实验小学1（学校）");
  assert.equal(await card.locator(".summary").textContent(), "校门被强行打开");
  assert.match(await card.locator("dd.kind").textContent(), /access\.forced/);
  assert.equal(await card.locator(".starts").getAttribute("datetime"), "2026-11-25T08:01:01Z");
  assert.match(await card.locator(".starts").textContent(), /2026\/11\/25 16:01:01/);
  assert.equal(await card.locator(".reasons li").textContent(), "门被强行打开 · 次数 3，预期 1 · 持续中 · forced-door");
  assert.equal(await desk.page.locator("#counts").textContent(), "未结 1 条");
  assert.equal(await desk.page.locator("#empty").isVisible(), false);
});

deskTest("a measured value is shown with the digits that a desk can use", async (desk, center) => {
  const sent = alert(1);
  Object.assign(sent.reasons[0], { count: 1234.56789, expected: 0.1 + 0.2 });
  await center.deliver(sent);
  await desk.shows(1);
  assert.match(await desk.page.locator(".reasons li").textContent(), /次数 1,234\.57，预期 0\.3 ·/);
});

deskTest("the gravest stand first, the newest first among them, and a revision moves an alert", async (desk, center) => {
  await center.deliver(alert(1, { severity: "low" }));
  await center.deliver(alert(2, { severity: "critical" }));
  await center.deliver(alert(3, { severity: "critical" }));
  await desk.shows(3);
  const order = (names) => desk.until(
    (wanted) => JSON.stringify([...document.querySelectorAll("#alerts h2")].map((node) => node.textContent.replace(/\D/g, ""))) === wanted,
    JSON.stringify(names),
  );
  await order(["3", "2", "1"]);
  await center.deliver(alert(1, { revision: 400, severity: "critical" }));
  await order(["1", "3", "2"]);
});

deskTest("an alert that ends before anybody took it leaves; one that was taken stays until it is resolved", async (desk, center) => {
  await center.deliver(alert(1));
  await center.deliver(alert(2));
  await desk.shows(2);
  await center.act("a2", "acknowledge");
  await center.deliver(alert(1, { revision: 2, status: "resolved" }));
  await center.deliver(alert(2, { revision: 2, status: "resolved" }));
  await desk.shows(1);
  const card = desk.card("实验小学2");
  await card.locator(".status", { hasText: "已解除" }).waitFor();
  assert.equal(await card.locator(".state").textContent(), "已受理");
  await center.act("a2", "resolve");
  await desk.shows(0);
  await desk.page.locator("#empty").waitFor();
});

deskTest("one button changes the language of everything, and the choice is kept", async (desk, center) => {
  await center.deliver(alert(1));
  await desk.shows(1);
  await desk.page.getByRole("button", { name: "English" }).click();
  const english = async () => {
    await desk.page.locator("#counts", { hasText: "1 open" }).waitFor();
    assert.equal(await desk.page.locator("html").getAttribute("lang"), "en");
    assert.equal(await desk.page.locator("h1").textContent(), "City safety governance centre");
    const card = desk.card("实验小学1");
    assert.equal(await card.locator(".place").textContent(), "实验小学1 (school)");
    assert.equal(await card.locator(".summary").textContent(), "School gate forced open");
    assert.equal(await card.locator(".acknowledge").textContent(), "Acknowledge");
    assert.match(await card.locator(".reasons li").textContent(), /^Door forced open · count 3, expected 1 · firing/);
    // The place's own name and the button back to Chinese are Chinese in any language.
    const labels = await desk.page.locator("header, #empty, #more, dt, h3, .buttons, .head").allTextContents();
    assert.doesNotMatch(labels.join("").replace("中文", ""), /\p{Script=Han}/u);
  };
  await english();
  await desk.page.reload();
  await desk.live();
  await english();
  await desk.page.getByRole("button", { name: "中文" }).click();
  await desk.page.locator("#counts", { hasText: "未结 1 条" }).waitFor();
});

deskTest("a mouse acknowledges and resolves under the desk's name, and every other desk sees it", async (desk, center) => {
  await center.deliver(alert(1));
  const other = await Desk.open(browser, center.url);
  await Promise.all([desk.shows(1), other.shows(1)]);
  await desk.page.locator("summary").click();
  await desk.page.locator("#desk").fill("desk-3");
  await desk.page.locator("#settings button").click();
  await desk.card("实验小学1").locator(".acknowledge").click();
  for (const each of [desk, other]) {
    await each.card("实验小学1").locator(".state", { hasText: "已受理" }).waitFor();
    assert.equal(await each.card("实验小学1").locator(".acknowledge").isDisabled(), true);
  }
  await desk.card("实验小学1").locator(".resolve").click();
  await Promise.all([desk.shows(0), other.shows(0)]);
  const { incident, history } = await center.detail("a1");
  assert.equal(incident.state, "resolved");
  assert.deepEqual(history.map((entry) => [entry.what, entry.by]),
    [["delivered", undefined], ["acknowledge", "desk-3"], ["resolve", "desk-3"]]);
  other.assertQuiet();
  await other.close();
});

deskTest("a keyboard alone does it all, and never loses its place", async (desk, center) => {
  await center.deliver(alert(1));
  await center.deliver(alert(2));
  await desk.shows(2);
  await desk.card("实验小学2").locator(".acknowledge").focus();
  await desk.page.keyboard.press("Enter");
  await desk.card("实验小学2").locator(".state", { hasText: "已受理" }).waitFor();
  await desk.focusOn("实验小学2", ".acknowledge");
  // What comes in above does not take the keyboard away, nor does a move of the card itself.
  await center.deliver(alert(3, { severity: "critical" }));
  await desk.shows(3);
  await center.deliver(alert(2, { revision: 2, severity: "critical" }));
  await desk.card("实验小学2").locator(".severity", { hasText: "特急" }).waitFor();
  await desk.focusOn("实验小学2", ".acknowledge");
  await desk.page.keyboard.press("Tab");
  await desk.focusOn("实验小学2", ".resolve");
  await desk.page.keyboard.press("Space");
  await desk.shows(2);
  await desk.focusOn("实验小学1", "article");
  for (const name of ["实验小学1", "实验小学3"]) {
    await desk.page.keyboard.press("Tab");
    await desk.focusOn(name, ".acknowledge");
    await desk.page.keyboard.press("Tab");
    await desk.page.keyboard.press("Enter");
    await desk.card(name).waitFor({ state: "detached" });
  }
  await desk.until(() => document.activeElement.id === "language");
});

deskTest("a key that was meant for one alert never acts on another", async (desk, center) => {
  for (const number of [1, 2, 3]) await center.deliver(alert(number));
  await desk.shows(3);
  await desk.card("实验小学3").locator(".resolve").focus();
  // Another desk is faster.
  await center.act("a3", "resolve");
  await desk.shows(2);
  await desk.focusOn("实验小学2", "article");
  await desk.page.keyboard.press("Enter");
  // A key that is held down: each further `down` is a repeat.
  await desk.page.keyboard.press("Tab");
  await desk.focusOn("实验小学2", ".acknowledge");
  await desk.page.keyboard.press("Tab");
  const posts = [];
  desk.page.on("request", (request) => { if (request.method() === "POST") posts.push(request.url()); });
  for (let times = 0; times < 5; times += 1) await desk.page.keyboard.down("Enter");
  await desk.page.keyboard.up("Enter");
  await desk.shows(1);
  assert.equal(posts.length, 1, `one press, one action: ${posts}`);
  assert.equal((await center.detail("a1")).incident.state, "reported");
});

deskTest("text from outside is text, whatever it looks like", async (desk, center) => {
  const evil = `<img src=x onerror="window.owned=1"><script>window.owned=1</script>{{1+1}}`;
  const text = { zh: evil, en: evil };
  const sent = alert(1, { name: evil, summary: text });
  sent.reasons[0].summary = text;
  sent.reasons[0].rule = evil;
  await center.deliver(sent);
  await desk.shows(1);
  assert.equal(await desk.page.locator("h2").textContent(), `${evil}（学校）`);
  assert.equal(await desk.page.locator("p.summary").textContent(), evil);
  assert.ok((await desk.page.locator(".reasons li").textContent()).startsWith(evil));
  assert.equal(await desk.page.locator("main img, main script").count(), 0);
  assert.equal(await desk.page.evaluate(() => window.owned), undefined);
});

deskTest("no character in a name breaks the stream", async (desk, center) => {
  const names = ["\u2028line\u2029paragraph", "\u0085next\u0000nul", "data: x\n\nevent: reset\n\n", "\u{1F6A8}\u202Eright"];
  for (const [index, name] of names.entries()) await center.deliver(alert(index + 1, { name }));
  await desk.shows(names.length);
  await desk.until(() => document.getElementById("connection").dataset.state === "live");
  assert.deepEqual(new Set(await desk.places()), new Set(names.map((name) => `${name}（学校）`)));
  assert.equal(desk.streams, 1, "the first connection still stands");
});

deskTest("a lost connection is said, and nothing of what happened meanwhile is missed", async (desk, center) => {
  for (const number of [1, 2, 3]) await center.deliver(alert(number));
  await desk.shows(3);
  await center.kill();
  await desk.connection("lost");
  assert.match(await desk.page.locator("#connection").textContent(), /连接中断/);
  assert.equal((await desk.places()).length, 3, "what was known stays on the page");
  await desk.assertAccessible();
  await center.again();
  await center.deliver(alert(4, { severity: "critical" }));
  await center.deliver(alert(1, { revision: 2, status: "resolved" }));
  await center.act("a2", "acknowledge");
  await desk.live();
  await desk.until(() => document.querySelector("#alerts h2")?.textContent.includes("实验小学4"));
  await desk.shows(3);
  await desk.card("实验小学2").locator(".state", { hasText: "已受理" }).waitFor();
  assert.equal(await desk.page.locator("#connection").textContent(), "实时");
  await center.deliver(alert(5));
  await desk.shows(4);
}, { expected: /net::ERR_/ });

deskTest("an action that did not reach the centre is said to have failed, and can be done again", async (desk, center) => {
  await center.deliver(alert(1));
  await desk.shows(1);
  await center.kill();
  await desk.connection("lost");
  await desk.card("实验小学1").locator(".acknowledge").click();
  await desk.page.locator("#message", { hasText: "操作未完成" }).waitFor();
  assert.equal(await desk.card("实验小学1").locator(".state").textContent(), "待受理");
  await center.again();
  await desk.live();
  await desk.card("实验小学1").locator(".acknowledge").click();
  await desk.card("实验小学1").locator(".state", { hasText: "已受理" }).waitFor();
  await until("the message goes", async () => !(await desk.page.locator("#message").isVisible()));
}, { expected: /net::ERR_/ });

deskTest("where a token is set, acting asks for it and takes it", async (desk, center) => {
  await center.deliver(alert(1));
  await desk.shows(1);
  await desk.card("实验小学1").locator(".acknowledge").click();
  await desk.page.locator("#message", { hasText: "需要令牌" }).waitFor();
  await desk.page.locator("summary").click();
  await desk.page.locator("#token").fill("0123456789abcdef");
  await desk.page.locator("#token").press("Enter");
  await desk.live();
  await desk.card("实验小学1").locator(".acknowledge").click();
  await desk.card("实验小学1").locator(".state", { hasText: "已受理" }).waitFor();
  assert.doesNotMatch(desk.page.url(), /0123456789abcdef/);
}, { token: "0123456789abcdef", expected: /status of 401/ });

deskTest("axe finds nothing: empty, full, in both languages, with the settings open, on a telephone", async (desk, center) => {
  await desk.assertAccessible();
  for (const [index, severity] of ["critical", "high", "medium", "low", "info"].entries()) {
    await center.deliver(alert(index + 1, { severity }));
  }
  await desk.shows(5);
  await center.act("a1", "acknowledge");
  await desk.card("实验小学1").locator(".state", { hasText: "已受理" }).waitFor();
  await desk.assertAccessible();
  await desk.page.locator("#language").click();
  await desk.page.locator("summary").click();
  await desk.assertAccessible();
  await desk.page.setViewportSize({ width: 360, height: 700 });
  await desk.assertAccessible();
  const [wide, shown] = await desk.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= shown, `nothing is cut off at the side: ${wide} of ${shown}`);
});

deskTest("five hundred alerts leave the page usable, the gravest in sight", async (desk, center) => {
  for (let begin = 1; begin <= 500; begin += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => center.deliver(alert(begin + index, { severity: "low" }))));
  }
  await desk.page.locator("#counts", { hasText: "未结 500 条" }).waitFor();
  const shown = (await desk.places()).length;
  assert.ok(shown >= 100, `${shown} are shown`);
  assert.equal(await desk.page.locator("#more").textContent(), `另有 ${500 - shown} 条未显示`);
  const began = Date.now();
  await center.deliver(alert(501, { severity: "critical" }));
  await desk.until(() => document.querySelector("#alerts h2").textContent.includes("实验小学501"));
  await desk.card("实验小学501").locator(".acknowledge").click();
  await desk.card("实验小学501").locator(".state", { hasText: "已受理" }).waitFor();
  const took = Date.now() - began;
  assert.ok(took < 5000, `arrives and is taken in ${took} ms`);
  // A page that is opened now has them all as well.
  const other = await Desk.open(browser, center.url);
  await other.page.locator("#counts", { hasText: "未结 501 条" }).waitFor();
  await other.close();
});

deskTest("Chinese is drawn with glyphs of its own, not with boxes", async (desk) => {
  const [drawn, boxes] = await desk.page.evaluate(() => {
    const font = getComputedStyle(document.body).fontFamily;
    const draw = (text) => {
      const canvas = document.createElement("canvas");
      const pen = canvas.getContext("2d");
      pen.font = `40px ${font}`;
      pen.fillText(text, 10, 60);
      return pen.getImageData(0, 0, canvas.width, canvas.height).data.join();
    };
    return [[..."城市安全治理中心校门警情"].map(draw), [draw("\u{E123}"), draw("")]];
  });
  assert.equal(new Set([...drawn, ...boxes]).size, drawn.length + boxes.length);
});
