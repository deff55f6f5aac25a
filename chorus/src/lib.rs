//! The parts of the binary `chorus`: configuration, the wiring of each role, the demo city, the tools.
#![forbid(unsafe_code)]

pub mod city;
pub mod cli;
pub mod config;
pub mod demo;
pub mod exit;
pub mod process;
pub mod roles;
pub mod shipped;
pub mod tools;
