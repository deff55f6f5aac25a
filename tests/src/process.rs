//! The `chorus` binary as a child process.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::child::{self, Signal};
use crate::http::http_get;
use crate::wait::{tail, wait_for};

pub use crate::port::free_port;

/// How long [`Role::wait_ready`] waits; a cold start on a busy machine of two cores.
const READY: Duration = Duration::from_secs(60);

/// A running `chorus`. Dropped, it is killed; its output stays where it was written.
#[derive(Debug)]
pub struct Role {
    name: String,
    process: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    ended: Option<ExitStatus>,
}

/// Where the binary under test is: `CHORUS_BIN`, or beside the test's own executable in cargo's target folder.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CHORUS_BIN") {
        let path = PathBuf::from(path);
        return if path.is_file() { Ok(path) } else { bail!("CHORUS_BIN names no file: {}", path.display()) };
    }
    // The test is target/PROFILE/deps/NAME-HASH.
    let test = std::env::current_exe()?;
    let beside = test.parent().and_then(Path::parent).context("the test's executable has no folder")?.join("chorus");
    if !beside.is_file() {
        bail!("there is no {}: run `cargo build -p chorus` first, or set CHORUS_BIN", beside.display());
    }
    Ok(beside)
}

impl Role {
    /// Starts `chorus ARGS…`. Output goes to `folder/NAME.out` and `folder/NAME.err`, appended when a role of that name
    /// is started again; `config` is the text of the configuration file, which becomes `folder/NAME.yaml` and
    /// `CHORUS_CONFIG`.
    pub fn spawn(
        folder: &Path,
        name: &str,
        args: &[&str],
        envs: &[(&str, &str)],
        config: Option<&str>,
    ) -> Result<Role> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut command = Command::new(binary()?);
        command.args(args).envs(envs.iter().copied()).stdin(Stdio::null());
        if let Some(config) = config {
            let path = folder.join(format!("{name}.yaml"));
            fs::write(&path, config).with_context(|| format!("cannot write {}", path.display()))?;
            command.env("CHORUS_CONFIG", path);
        }
        Role::run(command, folder, name)
    }

    /// Starts any other program in the same way: its output in files, its life tied to the test's.
    pub fn run(mut command: Command, folder: &Path, name: &str) -> Result<Role> {
        let (stdout, stderr) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
        command.stdout(append(&stdout)?).stderr(append(&stderr)?);
        let process = child::spawn(command)?;
        Ok(Role { name: name.to_owned(), process, stdout, stderr, ended: None })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What the process wrote to stdout so far.
    pub fn stdout(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.stdout)?).into_owned())
    }

    /// The last lines of its stderr.
    pub fn last_lines(&self, lines: usize) -> String {
        tail(&self.stderr, lines)
    }

    /// What the process wrote to stderr so far.
    pub fn stderr(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.stderr)?).into_owned())
    }

    /// How the process ended, if it has.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Waits for the process to end by itself.
    pub fn wait_exit(&mut self, timeout: Duration) -> Result<ExitStatus> {
        let ended = child::wait_exit(&mut self.process, timeout);
        self.ended = Some(ended.with_context(|| self.last_words())?);
        self.ended.context("just set")
    }

    /// Waits until `http://127.0.0.1:PORT/readyz` answers 200. An error when the process ends first.
    pub fn wait_ready(&mut self, port: u16) -> Result<()> {
        let url = format!("http://127.0.0.1:{port}/readyz");
        let mut last = String::from("nothing");
        let ready = wait_for(&format!("200 from {url}"), READY, || {
            if let Some(status) = self.exit_status()? {
                bail!("it ended: {status}");
            }
            // A refused connection is "not yet", like any other answer than 200.
            last = match http_get(&url) {
                Ok((200, _)) => return Ok(Some(())),
                Ok((status, body)) => format!("{status} {body}"),
                Err(error) => format!("{error:#}"),
            };
            Ok(None)
        });
        ready.with_context(|| format!("{} is not ready; last answer: {last}; {}", self.name, self.last_words()))
    }

    /// Ends the process as a power cut would, and collects it.
    pub fn kill9(&mut self) -> Result<()> {
        if self.exit_status()?.is_none() {
            self.process.kill()?;
            self.ended = Some(self.process.wait()?);
        }
        Ok(())
    }

    /// Asks the process to end (SIGTERM) and waits for it, at most for `timeout`.
    pub fn terminate(&mut self, timeout: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.exit_status()? {
            return Ok(status);
        }
        child::send(&self.process, Signal::Terminate)?;
        self.wait_exit(timeout)
    }

    /// Freezes the process (SIGSTOP): the zombie of the fault tests.
    pub fn pause(&mut self) -> Result<()> {
        self.signal(Signal::Stop)
    }

    /// Ends [`Role::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.signal(Signal::Continue)
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        if let Some(status) = self.exit_status()? {
            bail!("{} has ended: {status}; {}", self.name, self.last_words());
        }
        child::send(&self.process, signal)
    }

    fn last_words(&self) -> String {
        format!("{} said last:\n{}\n(stdout)\n{}", self.name, tail(&self.stderr, 30), tail(&self.stdout, 10))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // Nobody is left to tell; the kernel ends what this does not.
        drop(self.kill9());
    }
}

fn append(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))
}
