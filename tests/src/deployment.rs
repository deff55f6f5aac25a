//! A whole Chorus on a Kafka of the test's: keys, registry, configuration, topics, and each role as a process of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::client::{Client, NewRecord};
use crate::process::{Role, free_port};
use crate::wire::Said;

/// The feeds, in the order of their names.
pub const FEEDS: [&str; 5] = ["camera", "gate", "grid", "hospital", "school"];
/// Every role of a whole deployment, as it is named here.
pub const ROLES: [&str; 8] =
    ["ingest-camera", "ingest-gate", "ingest-grid", "ingest-hospital", "ingest-school", "detect", "fuse", "deliver"];
/// The governance centre, which is no role of a pipeline: most tests listen at its place.
pub const CENTER: &str = "center";
/// How long an orderly end may take: draining, committing, and a destination's last answer.
const END: Duration = Duration::from_secs(30);

/// What a deployment is made of; [`Plan::default`] is the small test city with the shipped rules and no roster.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Stands before every topic and group, to keep deployments on one broker apart.
    pub prefix: String,
    /// Where alerts go.
    pub receiver: String,
    /// YAML; the shipped rules when absent.
    pub rules: Option<String>,
    /// YAML; the shipped roster when absent.
    pub roster: Option<String>,
    /// `places.csv`.
    pub places: String,
    /// `devices.csv`.
    pub devices: String,
    /// The value of `kafka.assignment`; `MEMBER` stands for the role's name.
    pub assignment: String,
    /// The keys of `topics` beside the prefix.
    pub topics: String,
    /// How often detect and fuse write snapshots.
    pub snapshot_every: String,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            prefix: String::new(),
            receiver: String::new(),
            rules: None,
            roster: None,
            places: PLACES.to_owned(),
            devices: DEVICES.to_owned(),
            assignment: "{by: member, member: MEMBER}".to_owned(),
            topics: "raw_partitions: 3, events_partitions: 4, alerts_partitions: 2".to_owned(),
            snapshot_every: "1s".to_owned(),
        }
    }
}

/// A deployment in a folder of its own. Dropped, its roles are killed.
#[derive(Debug)]
pub struct Deployment {
    folder: TempDir,
    bootstrap: String,
    plan: Plan,
    extra: String,
    roles: BTreeMap<String, (Role, u16)>,
}

impl Deployment {
    /// Writes keys, registry and rules; makes the topics. `prefix` keeps deployments on one broker apart; alerts go to the
    /// HTTP receiver at `receiver`. `rules` and `roster` are YAML.
    pub fn new(bootstrap: &str, prefix: &str, receiver: &str, rules: &str, roster: Option<&str>) -> Result<Deployment> {
        let plan = Plan {
            prefix: prefix.to_owned(),
            receiver: receiver.to_owned(),
            rules: Some(rules.to_owned()),
            roster: roster.map(str::to_owned),
            ..Plan::default()
        };
        Deployment::of(bootstrap, plan)
    }

    /// As [`Deployment::new`], of a plan.
    pub fn of(bootstrap: &str, plan: Plan) -> Result<Deployment> {
        let folder = tempfile::Builder::new().prefix("chorus-deployment-").tempdir()?;
        let path = folder.path();
        for key in ["rejects.key", "pseudonyms.key", "centre.key"] {
            fs::write(path.join(key), "11".repeat(32))?;
        }
        fs::write(path.join("places.csv"), &plan.places)?;
        fs::write(path.join("devices.csv"), &plan.devices)?;
        if let Some(rules) = &plan.rules {
            fs::create_dir(path.join("rules"))?;
            fs::write(path.join("rules").join("rules.yaml"), rules)?;
        }
        if let Some(roster) = &plan.roster {
            fs::write(path.join("roster.yaml"), roster)?;
        }
        let deployment =
            Deployment { bootstrap: bootstrap.to_owned(), plan, extra: String::new(), roles: BTreeMap::new(), folder };
        deployment.run(&["topics", "apply"])?;
        Ok(deployment)
    }

    /// Only a way to [`Deployment::say`] things to the deployment of that prefix, from another thread.
    pub fn speaker(bootstrap: &str, prefix: &str) -> Result<Deployment> {
        Ok(Deployment {
            folder: tempfile::tempdir()?,
            bootstrap: bootstrap.to_owned(),
            plan: Plan { prefix: prefix.to_owned(), ..Plan::default() },
            extra: String::new(),
            roles: BTreeMap::new(),
        })
    }

    /// The folder with keys, configuration and the output of the roles.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The name of one of Chorus's topics or groups here.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.plan.prefix)
    }

    /// Further YAML at the end of the configuration, for roles that are started from now on.
    pub fn configure(&mut self, extra: &str) {
        extra.clone_into(&mut self.extra);
    }

    fn config(&self, member: &str, port: u16) -> String {
        let folder = self.folder().display();
        let mut text = format!(
            "kafka:
  bootstrap: {}
  fetch_wait: 20ms
  session_timeout: 10s
  assignment: {}
topics: {{prefix: '{}', {}}}
registry: {{places: [{folder}/places.csv], devices: [{folder}/devices.csv], reload: 200ms}}
http: {{listen: '127.0.0.1:{port}'}}
secrets: {{rejects_key_file: {folder}/rejects.key, pseudonyms_key_file: {folder}/pseudonyms.key}}
fuse: {{snapshot_every: {every}}}
detect:
  snapshot_every: {every}
",
            self.bootstrap,
            self.plan.assignment.replace("MEMBER", member),
            self.plan.prefix,
            self.plan.topics,
            every = self.plan.snapshot_every,
        );
        if self.plan.rules.is_some() {
            text.push_str(&format!("  rules: [{folder}/rules]\n"));
        }
        let roster = self.folder().join("roster.yaml");
        if roster.exists() {
            text.push_str(&format!("  roster: {}\n", roster.display()));
        }
        text.push_str(&format!(
            "destinations:\n  centre: {{type: centre, url: '{}', key_file: {folder}/centre.key}}\n",
            self.plan.receiver
        ));
        if member == CENTER {
            text.push_str(&format!(
                "center: {{listen: '127.0.0.1:{port}', database: 'sqlite://{folder}/centre.db', key_file: {folder}/centre.key}}\n"
            ));
        }
        text.push_str(&self.extra);
        text
    }

    /// Runs a tool (`topics`, `rejects`, …) to its end: stdout. An error when it exits with anything but 0.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        let (status, out, err) = self.try_run(args)?;
        ensure!(status == Some(0), "chorus {}: exit {status:?}\n{err}", args.join(" "));
        Ok(out)
    }

    /// Runs a tool to its end: exit code, stdout, stderr.
    pub fn try_run(&self, args: &[&str]) -> Result<(Option<i32>, String, String)> {
        self.try_run_with(args, &[])
    }

    /// As [`Deployment::try_run`], with variables of the environment.
    pub fn try_run_with(&self, args: &[&str], envs: &[(&str, &str)]) -> Result<(Option<i32>, String, String)> {
        let config: PathBuf = self.folder().join("tool.yaml");
        fs::write(&config, self.config("tool", 1))?;
        let output = std::process::Command::new(crate::process::binary()?)
            .args(args)
            .env("CHORUS_CONFIG", &config)
            .envs(envs.iter().copied())
            .output()
            .with_context(|| format!("chorus {}", args.join(" ")))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((output.status.code(), text(output.stdout), text(output.stderr)))
    }

    /// Starts every role and waits until each is ready.
    pub fn start_all(&mut self) -> Result<()> {
        for role in ROLES {
            self.launch(role, role)?;
        }
        for role in ROLES {
            self.wait_ready(role)?;
        }
        Ok(())
    }

    /// Starts the governance centre itself at [`Plan::receiver`], which must be `http://127.0.0.1:PORT`.
    pub fn start_center(&mut self) -> Result<()> {
        let port = self.plan.receiver.rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("no port in {:?}", self.plan.receiver))?;
        let process = Role::spawn(self.folder(), CENTER, &[CENTER], &[], Some(&self.config(CENTER, port)))?;
        self.roles.insert(CENTER.to_owned(), (process, port));
        self.wait_ready(CENTER)
    }

    /// Starts a role of [`ROLES`] and waits until it is ready.
    pub fn start(&mut self, role: &str) -> Result<()> {
        self.launch(role, role)?;
        self.wait_ready(role)
    }

    /// Starts a further instance of a role, under a name of its own, without waiting.
    pub fn launch(&mut self, role: &str, name: &str) -> Result<()> {
        let args: Vec<&str> = match role.strip_prefix("ingest-") {
            Some(feed) => vec!["ingest", "--feed", feed],
            None if role == "deliver" => vec!["deliver", "--destination", "centre"],
            None => vec![role],
        };
        let port = match self.roles.get(name) {
            Some((_, port)) => *port,
            None => free_port()?,
        };
        let config = self.config(name, port);
        let process = Role::spawn(self.folder(), name, &args, &[], Some(&config))?;
        self.roles.insert(name.to_owned(), (process, port));
        Ok(())
    }

    /// Waits until a role is ready.
    pub fn wait_ready(&mut self, name: &str) -> Result<()> {
        let (role, port) = self.roles.get_mut(name).with_context(|| format!("{name} was never started"))?;
        role.wait_ready(*port)
    }

    /// A role's process.
    pub fn role(&mut self, name: &str) -> Result<&mut Role> {
        self.roles.get_mut(name).map(|(role, _)| role).with_context(|| format!("{name} was never started"))
    }

    /// The port of a role's endpoint.
    pub fn port(&self, name: &str) -> Result<u16> {
        self.roles.get(name).map(|(_, port)| *port).with_context(|| format!("{name} was never started"))
    }

    /// Kills a role with -9 and starts it again at once.
    pub fn kill9(&mut self, name: &str) -> Result<()> {
        self.role(name)?.kill9()?;
        self.launch(name, name)
    }

    /// Ends every role in order; an error when one does not end well.
    pub fn stop_all(&mut self) -> Result<()> {
        let names: Vec<String> = self.roles.keys().cloned().collect();
        for name in names {
            let status = self.role(&name)?.terminate(END)?;
            ensure!(status.success(), "{name} ended with {status}: {}", self.role(&name)?.stderr()?);
        }
        Ok(())
    }

    /// What each role said last, and whether it is ready: the context of an error.
    pub fn last_words(&self) -> String {
        let mut text = String::new();
        for (name, (role, port)) in &self.roles {
            let ready = crate::http_get(&format!("http://127.0.0.1:{port}/readyz"));
            let ready = ready.map_or_else(|error| format!("{error:#}"), |(status, body)| format!("{status} {body}"));
            text.push_str(&format!("== {name}: {}\n{}\n", ready.trim(), role.last_lines(8)));
        }
        text
    }

    /// What a role's `/metrics` say.
    pub fn metrics(&self, name: &str) -> Result<String> {
        let (status, text) = crate::http_get(&format!("http://127.0.0.1:{}/metrics", self.port(name)?))?;
        ensure!(status == 200, "{name}: {status}");
        Ok(text)
    }

    /// Writes raw records in their order and waits for the acknowledgements.
    pub fn say(&self, client: &Client, said: &[Said]) -> Result<()> {
        for feed in FEEDS {
            let records: Vec<NewRecord> = said.iter().filter(|said| said.feed == feed).map(record).collect();
            if !records.is_empty() {
                client.produce_all(&self.name(&format!("raw.{feed}")), &records)?;
            }
        }
        Ok(())
    }
}

fn record(said: &Said) -> NewRecord {
    let headers = vec![
        ("format".to_owned(), said.format.as_bytes().to_vec()),
        ("source".to_owned(), said.device.as_bytes().to_vec()),
    ];
    NewRecord {
        key: Some(said.device.as_bytes().to_vec()),
        headers,
        value: Some(said.body.clone()),
        ..NewRecord::default()
    }
}

/// The places of the test city.
const PLACES: &str = "id,name,kind,division_code,lat,lon,calendar
school-1,第一小学,school,360102003001,28.69,115.91,
school-2,第二小学,school,360103002001,28.65,115.89,
hospital-1,第一医院,hospital,360102003002,28.68,115.90,
village-1,柳园,village,360111001001,28.70,115.95,
village-2,桂苑,village,360111001002,28.71,115.96,
street-1,滨江路,street,360113001001,28.69,115.85,
community-1,东湖社区,community,360102003003,28.69,115.91,
";

/// The devices of the test city; ids as their formats give them.
const DEVICES: &str = "id,channel,place,kind,heartbeat
1001,,school-1,panel,
1002,,school-2,panel,
aa:bb:cc:00:00:01,,hospital-1,door,
36010200001320000001,,hospital-1,camera,
36010200001320000002,,street-1,camera,
gate-1,,village-1,gate,
gate-2,,village-2,gate,
36011100001320000011,,village-1,gate,2s
36011100001320000012,,village-2,gate,2s
button-1,,school-1,button,
ward-1,,hospital-1,tag_reader,
phone-1,,community-1,phone,
";
