//! The binary `chorus`: one sub-command a role, the demo city, the tools.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

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
