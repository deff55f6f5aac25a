//! Stopping in order: one flag that every worker looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The end was asked for while a worker waited for something: no failure.
#[derive(Debug, thiserror::Error)]
#[error("asked to end")]
pub struct Stopped;

/// The group knows our static member under another incarnation: after an outage that outlived our session it is our own older
/// one, and a new consumer goes on; otherwise somebody else runs under our name.
#[derive(Debug, thiserror::Error)]
#[error("fenced: the group has this static member (kafka.assignment.member, or the host's name) from somebody else")]
pub struct Fenced;

/// Asks every worker to finish what it has, commit and return. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
}

impl Control {
    /// Asks for the end. Can be called again.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// True once the end has been asked for.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// From now on the process ends in order when it is asked to (SIGTERM, SIGINT): what is returned ends then, or when somebody
    /// called [`Control::stop`]. Within a runtime of tokio.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn ending(&self) -> std::io::Result<impl Future<Output = ()> + use<>> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let control = self.clone();
        Ok(async move {
            let mut tick = tokio::time::interval(std::time::Duration::from_millis(50));
            while !control.stopping() {
                tokio::select! {
                    _ = term.recv() => control.stop(),
                    _ = int.recv() => control.stop(),
                    _ = tick.tick() => {}
                }
            }
        })
    }
}
