//! Timelines, and what holds for every log.

mod logs;
mod script;
mod timelines;
mod together;
