//! Child processes that never outlive the test process, and signals. All unsafe code of this crate is here.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::wait::wait_for;

/// A signal that the fault tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: please end.
    Terminate,
    /// SIGKILL: end, now, with no chance to tidy up.
    Kill,
    /// SIGSTOP: stand still, with connections open.
    Stop,
    /// SIGCONT: go on.
    Continue,
}

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// The thread that starts every child. The kernel ties "parent death" to the *thread* that forked, and a test's thread
/// ends with its test; this one lives as long as the process.
static NURSERY: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, answer) in inbox {
            // A caller that no longer listens has no use for the child: it is dropped and dies with the process.
            drop(answer.send(command.spawn()));
        }
    });
    Mutex::new(orders)
});

/// Starts `command`; the kernel kills the child (SIGKILL) when this process ends, however it ends.
pub fn spawn(mut command: Command) -> Result<Child> {
    die_with_parent(&mut command);
    let name = command.get_program().to_string_lossy().into_owned();
    let (answer, result) = mpsc::channel();
    NURSERY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, answer))
        .ok()
        .context("the thread that starts children has ended")?;
    result.recv().context("the thread that starts children has ended")?.with_context(|| format!("cannot start {name}"))
}

/// Waits for the end of `child`, at most for `timeout`.
pub fn wait_exit(child: &mut Child, timeout: Duration) -> Result<ExitStatus> {
    wait_for(&format!("the end of process {}", child.id()), timeout, || Ok(child.try_wait()?))
}

/// Whether a process of that id runs. A zombie does not: it has ended, and only its parent has not looked yet.
pub fn is_running(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The state follows the name, which stands in parentheses and may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[allow(unsafe_code)] // `pre_exec` has no safe form; without it a killed test run leaves its brokers behind
fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    let tie = move || {
        // SAFETY: prctl and getppid are async-signal-safe, touch no memory of ours and take plain integers.
        let (tied, parent_now) = unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
        if tied != 0 {
            return Err(io::Error::last_os_error());
        }
        // The parent may have died between fork and prctl; then nobody would send the signal.
        if u32::try_from(parent_now) != Ok(parent) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    };
    // SAFETY: the closure runs between fork and exec; it only makes the two system calls above and does not allocate.
    unsafe { command.pre_exec(tie) };
}

/// Sends a signal to a child that has not been waited for (its id is then still its own).
#[allow(unsafe_code)] // the standard library can send SIGKILL only
pub fn send(child: &Child, signal: Signal) -> Result<()> {
    let number = match signal {
        Signal::Terminate => libc::SIGTERM,
        Signal::Kill => libc::SIGKILL,
        Signal::Stop => libc::SIGSTOP,
        Signal::Continue => libc::SIGCONT,
    };
    // SAFETY: kill takes plain integers; the caller holds the child, so the id is not another process's.
    let sent = unsafe { libc::kill(libc::pid_t::try_from(child.id())?, number) };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()).with_context(|| format!("cannot send {signal:?}")) }
}

/// The processor time that a process of ours has used so far, in all its threads, ended ones too: user and system.
#[allow(unsafe_code)] // the standard library knows no clock but the wall's
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls take plain integers and write to the two locals above, which outlive them.
    let failed = unsafe {
        libc::clock_getcpuclockid(libc::pid_t::try_from(pid)?, &raw mut clock) != 0
            || libc::clock_gettime(clock, &raw mut time) != 0
    };
    anyhow::ensure!(!failed, "process {pid} has no clock: it has ended");
    Ok(Duration::new(u64::try_from(time.tv_sec)?, u32::try_from(time.tv_nsec)?))
}

/// Runs `farewell` when the process ends in the ordinary way. Statics are never dropped; this stands in for it.
#[allow(unsafe_code)] // there is no safe form of atexit
pub(crate) fn at_exit(farewell: extern "C" fn()) -> Result<()> {
    // SAFETY: the function pointer is valid for the whole life of the process.
    let registered = unsafe { libc::atexit(farewell) };
    if registered == 0 { Ok(()) } else { anyhow::bail!("atexit takes no more functions") }
}
