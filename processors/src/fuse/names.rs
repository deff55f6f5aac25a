//! Names for the desk.

use std::sync::Arc;

use chorus_runtime::registry::{Handle, Registry};

/// Names of places, from the registry as it is now.
#[derive(Debug)]
pub(crate) struct Names {
    handle: Handle,
    generation: u64,
    registry: Arc<Registry>,
}

impl Names {
    pub(crate) fn new(handle: Handle) -> Self {
        let generation = handle.generation();
        let registry = handle.get();
        Self { handle, generation, registry }
    }

    /// The registry's name of the place, or its id. A division has a name where the registry has a place with its code as id.
    pub(crate) fn of(&mut self, key: &Arc<str>) -> Arc<str> {
        let generation = self.handle.generation();
        if generation != self.generation {
            self.generation = generation;
            self.registry = self.handle.get();
        }
        let name = self.registry.place(key).and_then(|place| place.name.clone()).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| Arc::clone(key))
    }
}
