//! The binary `chorus`: one sub-command a role, the demo city, the tools.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

/// A record is allocated by a worker and freed by librdkafka's thread, with a dozen small pieces: the worst case of the C
/// library's allocator. It stands in for that one too, so librdkafka's own pieces have the benefit (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match chorus::cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own code for a wrong call is 2; ours is 64. Help and version are no errors.
            let code = if error.use_stderr() { chorus::exit::USAGE } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match chorus::cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            eprintln!("chorus: {exit}");
            ExitCode::from(exit.code())
        }
    }
}
