// A `chorus center` of the test's own, and a sender of signed deliveries.

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

const KEY = "a key for tests that is long enough";

/** A port of the loopback interface that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// `CHORUS_…` overrides the configuration: what the caller has set is not for this process.
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CHORUS_")));

/** Starts the binary; what it said is kept for the case that it ends early. */
export function startChorus(args) {
  const child = spawn(process.env.CHORUS_BIN, args, { stdio: ["ignore", "ignore", "pipe"], env: ENVIRONMENT });
  // A test that is cut short leaves nothing behind.
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const said = [];
  child.stderr.on("data", (data) => said.push(data));
  const ended = new Promise((resolve) => {
    child.once("error", (error) => { said.push(Buffer.from(String(error))); resolve(-1); });
    child.once("exit", (code, signal) => { process.off("exit", end); resolve(code ?? signal); });
  });
  return { child, ended, said: () => Buffer.concat(said).toString() };
}

/** Waits until the process answers `/readyz`, or throws with what it said before it ended. */
export async function ready(running, url, seconds) {
  await until(`${url} is ready`, async () => {
    if (running.child.exitCode !== null) throw new Error(`chorus ended early: ${running.said()}`);
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    return answer?.ok;
  }, seconds);
}

export class Center {
  /** A centre on an empty database; `token` makes acting take it. */
  static async start({ token } = {}) {
    const center = new Center();
    center.folder = mkdtempSync(join(tmpdir(), "chorus-browser-"));
    center.port = await freePort();
    center.url = `http://127.0.0.1:${center.port}`;
    const file = (name) => join(center.folder, name);
    writeFileSync(file("key"), KEY);
    if (token) writeFileSync(file("token"), token);
    const settings = {
      listen: `127.0.0.1:${center.port}`,
      database: `sqlite://${file("center.db")}`,
      key_file: file("key"),
      ...(token ? { api_token_file: file("token") } : {}),
    };
    // JSON is YAML; the centre needs no broker, so none is there.
    writeFileSync(file("chorus.yaml"), JSON.stringify({ kafka: { bootstrap: "127.0.0.1:1" }, center: settings }));
    await center.again();
    return center;
  }

  /** Starts it (anew) on the same port and database. */
  async again() {
    this.running = startChorus(["center", "--config", join(this.folder, "chorus.yaml")]);
    await ready(this.running, this.url, 30);
  }

  /** As a power cut ends it. */
  async kill() {
    this.running.child.kill("SIGKILL");
    await this.running.ended;
  }

  async close() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Delivers an alert as the pipeline does. */
  async deliver(alert) {
    const body = JSON.stringify(alert);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const digest = createHmac("sha256", KEY).update(`${timestamp}.${body}`).digest("hex");
    const answer = await fetch(`${this.url}/api/v1/deliveries`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "idempotency-key": `${alert.alert_id}:${alert.revision}`,
        "chorus-revision": String(alert.revision),
        "chorus-timestamp": timestamp,
        "chorus-signature": `sha256=${digest}`,
      },
    });
    if (answer.status !== 201) throw new Error(`delivery: ${answer.status} ${await answer.text()}`);
  }

  /** An alert with its history, as the API gives it. */
  async detail(id) {
    return (await fetch(`${this.url}/api/v1/alerts/${id}`)).json();
  }

  /** What another desk does. */
  async act(id, action) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.url}/api/v1/alerts/${id}/${action}`, { method: "POST", body: "{}", headers });
    if (!answer.ok) throw new Error(`${action}: ${answer.status}`);
  }
}

/** An alert that fires for one reason; `number` orders alerts in time. */
export function alert(number, { revision = 1, severity = "high", status = "firing", name, ...more } = {}) {
  const at = new Date(Date.UTC(2026, 10, 25, 8, 0, number * 60 + revision)).toISOString();
  const reason = {
    rule: "forced-door", kind: "access.forced", status, devices: ["door-1"], from: at, to: at, count: 3, expected: 1,
    evidence: ["e1"], summary: { zh: "门被强行打开", en: "Door forced open" },
  };
  return {
    schema_version: 1, alert_id: `a${number}`, revision, status, kind: "access.forced", severity,
    place: { id: `school-${number}`, name: name ?? `实验小学${number}`, kind: "school" },
    starts_at: at, updated_at: at, summary: { zh: "校门被强行打开", en: "School gate forced open" },
    reasons: [reason], tipped_at: at, ...(status === "resolved" ? { ends_at: at } : {}), ...more,
  };
}
