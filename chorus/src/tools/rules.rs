//! `chorus rules check|test`: validates rule files, and runs the test cases that stand beside them.

use std::path::PathBuf;

use chorus_processors::detect::{RuleSet, run_tests};

use crate::exit::Exit;

/// What is to be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Reads and compiles every rule of these files and folders.
    Check {
        /// Rule files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Runs the test cases (`*.test.yaml`) of a folder.
    Test {
        /// The folder.
        folder: PathBuf,
    },
}

/// Does it.
///
/// # Errors
/// A rule that cannot be used ([`Exit::Usage`], with file, rule, key and what is allowed), or a case that fails.
pub fn run(action: &Action) -> Result<(), Exit> {
    match action {
        Action::Check { paths } => {
            let rules = RuleSet::load(paths).map_err(|error| Exit::usage(error.to_string()))?;
            println!("{} rules are valid", rules.rules().len());
            Ok(())
        }
        Action::Test { folder } => {
            let cases = run_tests(folder).map_err(|error| Exit::usage(error.to_string()))?;
            for case in &cases {
                match case.failures.as_slice() {
                    [] => println!("ok     {} {}", case.file, case.name),
                    failures => println!("FAILED {} {}: {}", case.file, case.name, failures.join("; ")),
                }
            }
            let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
            println!("{} cases, {failed} failed", cases.len());
            if failed == 0 { Ok(()) } else { Err(Exit::Failed(anyhow::anyhow!("{failed} cases failed"))) }
        }
    }
}
