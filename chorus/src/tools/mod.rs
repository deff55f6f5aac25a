//! Command-line tools: what an operator, a rule author or an integrator runs by hand.

pub mod backtest;
pub mod check;
pub mod doctor;
pub mod normalize;
pub mod parked;
pub mod rejects;
pub mod rules;
pub mod schema;
pub mod score;
pub mod topics;
