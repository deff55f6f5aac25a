//! What the benchmarks share: the bare loops that they are compared with, and the load.
#![allow(dead_code, reason = "each benchmark uses its part")]

pub(crate) mod bare;
pub(crate) mod chain;
pub(crate) mod load;
