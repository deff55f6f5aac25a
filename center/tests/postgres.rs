//! The scenarios on a real PostgreSQL, which this test starts on loopback and ends. Without its binaries (Debian:
//! `postgresql`) it says that it is skipped; `CHORUS_REQUIRE_POSTGRES=1` makes that a failure.

mod common;

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{World, scenarios};

const PASSWORD: &str = "p@ss/w:rd%";

struct Server {
    bin: PathBuf,
    dir: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start(bin: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // The kernel's choice: free now, and nobody else is given it soon.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { bin, dir, port };
        std::fs::write(server.path("password"), PASSWORD).unwrap();
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(server.dir.path()));
        }
        run(server
            .tool("initdb")
            .args(["-A", "scram-sha-256", "-U", "chorus", "-N"])
            .arg("--pwfile")
            .arg(server.path("password"))
            .arg("-D")
            .arg(server.path("data")));
        let options = format!("-h 127.0.0.1 -p {port} -k {}", server.dir.path().display());
        run(server
            .tool("pg_ctl")
            .args(["-w", "-s", "-o", &options, "-l"])
            .arg(server.path("log"))
            .arg("-D")
            .arg(server.path("data"))
            .arg("start"));
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A tool of PostgreSQL, as a user that it accepts: it refuses to run as root.
    fn tool(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.dir.path()).env("PGPASSWORD", PASSWORD);
        command
    }

    fn database(&self, name: &str) -> (String, PathBuf) {
        let port = self.port.to_string();
        run(self.tool("createdb").args(["-h", "127.0.0.1", "-p", &port, "-U", "chorus", name]));
        (format!("postgres://chorus@127.0.0.1:{port}/{name}"), self.path("password"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.tool("pg_ctl");
        stop.args(["-w", "-s", "-m", "immediate", "-D"]).arg(self.path("data")).arg("stop");
        assert!(
            stop.status().is_ok_and(|status| status.success()) || std::thread::panicking(),
            "PostgreSQL did not stop"
        );
    }
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The newest PostgreSQL of this machine.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
    let newest = versions.flatten().map(|entry| entry.path()).max_by_key(|path| version(path))?;
    Some(newest.join("bin")).filter(|bin| bin.join("initdb").exists())
}

macro_rules! all {
    ($($name:ident),* $(,)?) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_scenario_holds_on_postgresql() {
            let Some(bin) = binaries() else {
                assert!(std::env::var_os("CHORUS_REQUIRE_POSTGRES").is_none(), "no PostgreSQL on this machine");
                eprintln!("SKIPPED: no PostgreSQL on this machine (apt-get install postgresql)");
                return;
            };
            let server = Server::start(bin);
            $(
                eprintln!("postgresql: {}", stringify!($name));
                scenarios::$name(World::new(Some(server.database(stringify!($name)))).await).await;
            )*
        }
    };
}

for_each_scenario!(all);
