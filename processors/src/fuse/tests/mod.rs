//! Timelines, and what holds for every log.

mod dice;
mod logs;
mod mixing;
mod script;
mod timelines;
mod together;
