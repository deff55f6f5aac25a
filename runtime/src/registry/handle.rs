//! The registry in use: reloaded when its files change, without a restart.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chorus_model::Span;

use super::{Registry, Settings};

/// The registry as it is now. Cheap to clone; a reader notices a new version by one atomic load.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: Mutex<Arc<Registry>>,
    generation: AtomicU64,
}

impl Handle {
    /// A handle on a registry that is never reloaded.
    #[must_use]
    pub fn fixed(registry: Registry) -> Self {
        Self { shared: Arc::new(Shared { current: Mutex::new(Arc::new(registry)), generation: AtomicU64::new(1) }) }
    }

    /// Loads the files now and again whenever they change, with the canaries of these feeds. A broken file is logged and the
    /// old registry kept.
    ///
    /// # Errors
    /// When the files cannot be read the first time.
    pub fn watch(settings: &Settings, feeds: Vec<&'static str>) -> anyhow::Result<Self> {
        let handle = Self::fixed(Registry::load(settings)?.with_canaries(&feeds)?);
        let weak = Arc::downgrade(&handle.shared);
        let settings = settings.clone();
        let every = settings.reload.map_or(Duration::from_secs(10), Span::to_std);
        std::thread::Builder::new().name("registry".to_owned()).spawn(move || {
            let mut seen = stamps(&settings);
            loop {
                std::thread::sleep(every);
                let Some(shared) = weak.upgrade() else { return };
                let now = stamps(&settings);
                if now != seen {
                    seen = now;
                    shared.reload(&settings, &feeds);
                }
            }
        })?;
        Ok(handle)
    }

    /// Another registry is in force, as after a reload.
    pub fn replace(&self, registry: Registry) {
        self.shared.put(registry);
    }

    /// A number that grows with every reload.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// The registry as it is now.
    #[must_use]
    pub fn get(&self) -> Arc<Registry> {
        Arc::clone(&self.shared.current.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn put(&self, registry: Registry) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn reload(&self, settings: &Settings, feeds: &[&str]) {
        match Registry::load(settings).and_then(|registry| registry.with_canaries(feeds)) {
            Ok(registry) => {
                tracing::info!(version = %registry.version, places = registry.places.len(), "registry reloaded");
                self.put(registry);
            }
            Err(error) => tracing::error!(%error, "registry not reloaded, the old one stays"),
        }
    }
}

/// Time and length of each file: enough to notice a change without reading it.
fn stamps(settings: &Settings) -> Vec<Option<(std::time::SystemTime, u64)>> {
    let files = settings.places.iter().chain(&settings.devices);
    files.map(|path| std::fs::metadata(path).ok().and_then(|m| Some((m.modified().ok()?, m.len())))).collect()
}
