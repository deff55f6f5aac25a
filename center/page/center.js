// The desk's page: what is open, as it changes. Everything that comes from outside becomes text, never markup.
"use strict";

const WORDS = {
  zh: {
    title: "城市安全治理中心", settings: "席位与令牌", desk: "席位", token: "令牌", apply: "应用", empty: "没有未结警情", list: "未结警情",
    kind: "类型", starts: "开始", updated: "更新", reasons: "原因", acknowledge: "受理", resolve: "办结", other: "English",
    waiting: "正在连接…", live: "实时", lost: "连接中断，正在重连，所示内容可能已过时", counts: (n) => `未结 ${n} 条`,
    named: (name, kind) => `${name}（${kind}）`, more: (n) => `另有 ${n} 条未显示`, denied: "需要令牌：请在“席位与令牌”中填写", failed: "操作未完成，请重试",
    conflict: "该警情的状态已不允许此操作", count: (c, e) => (e === undefined ? `次数 ${c}` : `次数 ${c}，预期 ${e}`),
    severity: { critical: "特急", high: "紧急", medium: "较急", low: "一般", info: "提示" },
    status: { firing: "持续中", resolved: "已解除" },
    state: { reported: "待受理", acknowledged: "已受理", dispatched: "已派出", resolved: "已办结", verified: "已核实", closed: "已归档" },
    place: { school: "学校", hospital: "医院", village: "小区", community: "社区", street: "街道", other: "其他" },
  },
  en: {
    title: "City safety governance centre", settings: "Desk and token", desk: "Desk", token: "Token", apply: "Apply", empty: "No open alerts", list: "Open alerts",
    kind: "Kind", starts: "Began", updated: "Updated", reasons: "Reasons", acknowledge: "Acknowledge", resolve: "Resolve", other: "中文",
    waiting: "Connecting…", live: "Live", lost: "Connection lost, trying again; what is shown may be old", counts: (n) => `${n} open`,
    named: (name, kind) => `${name} (${kind})`, more: (n) => `${n} more are not shown`, denied: "Needs the token: enter it under “Desk and token”", failed: "Not done, please try again",
    conflict: "The state of this alert no longer allows that", count: (c, e) => (e === undefined ? `count ${c}` : `count ${c}, expected ${e}`),
    severity: { critical: "Critical", high: "High", medium: "Medium", low: "Low", info: "Info" },
    status: { firing: "firing", resolved: "ended" },
    state: { reported: "waiting", acknowledged: "acknowledged", dispatched: "dispatched", resolved: "resolved", verified: "verified", closed: "closed" },
    place: { school: "school", hospital: "hospital", village: "village", community: "community", street: "street", other: "other" },
  },
};
const RANK = ["critical", "high", "medium", "low", "info"];
const OPEN = ["reported", "acknowledged", "dispatched"];
const SHOWN = 300;
const LOADED = 5000;
// The stream sends a comment every 10 s: this much silence is a dead connection.
const SILENCE_MS = 30000;

const $ = (id) => document.getElementById(id);
const alerts = new Map();
const rows = new Map();
let language = recall(localStorage, "language") === "en" ? "en" : "zh";
let token = recall(sessionStorage, "token");
let connection = "waiting";
let message = "";
let lastId = "";
let current = null;
let wake = () => {};
let isDrawing = false;

function recall(storage, key) {
  try { return storage.getItem(`chorus.${key}`) || ""; } catch { return ""; }
}

function remember(storage, key, value) {
  try { storage.setItem(`chorus.${key}`, value); } catch { /* a private window forgets */ }
}

function word(...path) {
  return path.reduce((at, key) => (at === undefined ? undefined : at[key]), WORDS[language]) ?? path[path.length - 1];
}

function headers(more) {
  return token ? { ...more, authorization: `Bearer ${token}` } : more;
}

function keep(alert) {
  const known = alerts.get(alert.alert_id);
  if (known && known.revision > alert.revision) return;
  if (alert.incident && OPEN.includes(alert.incident.state)) alerts.set(alert.alert_id, alert);
  else alerts.delete(alert.alert_id);
  draw();
}

// Many changes at once are drawn once.
function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => { isDrawing = false; drawNow(); });
}

function drawNow() {
  const sorted = [...alerts.values()].sort((a, b) =>
    RANK.indexOf(a.severity) - RANK.indexOf(b.severity) || Date.parse(b.updated_at) - Date.parse(a.updated_at));
  const shown = sorted.slice(0, SHOWN);
  const ids = new Set(shown.map((alert) => alert.alert_id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    if (row.contains(document.activeElement)) moveFocus(row);
    row.remove();
    rows.delete(id);
  }
  let before = $("alerts").firstElementChild;
  for (const alert of shown) {
    const row = rows.get(alert.alert_id) || newRow(alert.alert_id);
    fill(row, alert);
    if (row === before) before = before.nextElementSibling;
    else insert(row, before);
  }
  $("empty").hidden = sorted.length > 0 || connection === "waiting";
  $("more").hidden = sorted.length <= SHOWN;
  $("more").textContent = word("more")(sorted.length - SHOWN);
  setText($("counts"), word("counts")(sorted.length));
  setText($("connection"), word(connection));
  $("connection").dataset.state = connection;
  setText($("message"), message ? word(message) : "");
  $("message").hidden = !message;
}

// Moving a row in the document takes the focus from it: it is given back.
function insert(row, before) {
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  $("alerts").insertBefore(row, before);
  if (focused) focused.focus({ preventScroll: true });
}

// Whoever works with the keyboard goes on at the next alert, not at the top of the page: at the card, not at a button of it.
// The key that is about to be pressed was meant for another alert.
function moveFocus(row) {
  const next = row.nextElementSibling || row.previousElementSibling;
  (next ? next.querySelector("article") : $("language")).focus();
}

function newRow(id) {
  const row = $("row").content.firstElementChild.cloneNode(true);
  for (const action of ["acknowledge", "resolve"]) {
    row.querySelector(`.${action}`).addEventListener("click", () => act(id, action));
  }
  rows.set(id, row);
  return row;
}

// Unchanged text is left alone, or a screen reader would say it again.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fill(row, alert) {
  const part = (name) => row.querySelector(`.${name}`);
  row.querySelectorAll("[data-word]").forEach((node) => setText(node, word(node.dataset.word)));
  row.firstElementChild.className = RANK.includes(alert.severity) ? alert.severity : "info";
  setText(part("severity"), word("severity", alert.severity));
  setText(part("status"), word("status", alert.status));
  setText(part("state"), word("state", alert.incident.state));
  setText(part("place"), word("named")(alert.place.name, word("place", alert.place.kind)));
  setText(part("summary"), alert.summary[language]);
  setText(part("kind"), alert.kind);
  time(part("starts"), alert.starts_at);
  time(part("updated"), alert.updated_at);
  const lines = alert.reasons.map((reason) => {
    const text = reason.summary[language] || reason.kind;
    return `${text} · ${word("count")(number(reason.count), number(reason.expected))} · ${word("status", reason.status)} · ${reason.rule}`;
  });
  const list = part("reasons");
  while (list.children.length > lines.length) list.lastElementChild.remove();
  lines.forEach((line, index) => setText(list.children[index] || list.appendChild(document.createElement("li")), line));
  // Not `disabled`, which would take the keyboard away from whoever has just pressed it.
  part("acknowledge").setAttribute("aria-disabled", String(alert.incident.state !== "reported"));
  for (const action of ["acknowledge", "resolve"]) {
    part(action).setAttribute("aria-label", `${word(action)}: ${alert.place.name}, ${alert.kind}`);
  }
}

function locale() {
  return language === "zh" ? "zh-CN" : "en-GB";
}

// What was measured has more digits than a desk can use.
function number(value) {
  return value === undefined ? undefined : value.toLocaleString(locale(), { maximumFractionDigits: 2 });
}

function time(node, instant) {
  node.dateTime = instant;
  const date = new Date(instant);
  setText(node, date.toLocaleString(locale(), { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" }));
}

async function act(id, action) {
  if (action === "acknowledge" && alerts.get(id)?.incident.state !== "reported") return;
  const desk = $("desk").value.trim();
  try {
    const response = await fetch(`api/v1/alerts/${encodeURIComponent(id)}/${action}`, {
      method: "POST",
      headers: headers({ "content-type": "application/json" }),
      body: JSON.stringify(desk && $("desk").validity.valid ? { by: desk } : {}),
    });
    message = response.ok ? "" : response.status === 401 ? "denied" : response.status === 409 ? "conflict" : "failed";
    // What the stream has taken from the wall meanwhile does not come back.
    const answer = response.ok ? await response.json() : undefined;
    if (answer && alerts.has(id)) keep(answer);
  } catch {
    message = "failed";
  }
  draw();
}

// What is open now. The stream is open before, so nothing falls in between.
async function load(signal) {
  const fresh = [];
  let since = "";
  do {
    const page = `api/v1/alerts?open=true&limit=500${since}`;
    const response = await fetch(page, { headers: headers({}), signal });
    if (!response.ok) throw new Error(String(response.status));
    const body = await response.json();
    fresh.push(...body.alerts);
    since = body.next ? `&since=${encodeURIComponent(body.next)}` : "";
  } while (since && fresh.length < LOADED);
  alerts.clear();
  fresh.forEach(keep);
  draw();
}

async function follow(signal, alive) {
  const more = lastId ? { "last-event-id": lastId } : {};
  const response = await fetch("api/v1/stream", { headers: headers(more), signal, cache: "no-store" });
  if (!response.ok) throw new Error(String(response.status));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  await load(signal);
  connection = "live";
  message = message === "denied" ? "" : message;
  draw();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      if (take(part)) await load(signal);
    }
  }
}

// One event of the stream; true when everything must be loaded anew.
function take(text) {
  const fields = { data: "", event: "" };
  for (const line of text.split("\n")) {
    // Not by a regular expression: its dot stops at line ends of Unicode, which JSON may hold.
    const [name] = line.split(":", 1);
    const value = line.slice(name.length + 1).replace(/^ /, "");
    if (name === "data") fields.data += value;
    else if (name === "event") fields.event = value;
    else if (name === "id") lastId = value;
  }
  if (fields.event === "alert") keep(JSON.parse(fields.data));
  return fields.event === "reset";
}

async function run() {
  let pause = 500;
  for (;;) {
    const control = new AbortController();
    current = control;
    let watch = 0;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => control.abort(), SILENCE_MS);
    };
    alive();
    const began = Date.now();
    try {
      await follow(control.signal, alive);
    } catch (error) {
      if (error.message === "401") message = "denied";
    }
    clearTimeout(watch);
    control.abort();
    connection = "lost";
    draw();
    pause = Date.now() - began > 10000 ? 500 : Math.min(pause * 2, 10000);
    await new Promise((resolve) => { wake = resolve; setTimeout(resolve, pause); });
  }
}

function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = `${word("title")} · Chorus`;
  document.querySelectorAll("header [data-word], main [data-word]").forEach((node) => setText(node, word(node.dataset.word)));
  $("alerts").setAttribute("aria-label", word("list"));
  $("language").textContent = word("other");
  $("language").lang = language === "zh" ? "en" : "zh-CN";
  draw();
}

$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  remember(localStorage, "language", language);
  translate();
});

// A key that is held down acts once.
$("alerts").addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter") event.preventDefault();
});

$("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  remember(sessionStorage, "token", token);
  remember(localStorage, "desk", $("desk").value.trim());
  message = "";
  // A stream that was refused is tried again with the token.
  if (current) current.abort();
  wake();
  draw();
});

$("desk").value = recall(localStorage, "desk");
$("token").value = token;
translate();
run();
