//! Deliveries to a real HTTP server of the test's own, from a job alone and from a worker on an embedded broker.

mod attempts;
mod canary;
mod receiver;
mod samples;
mod secrecy;
mod worker;
