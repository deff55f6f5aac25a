//! Exit codes: 0 done, 64 usage or configuration, 1 anything else.

use std::fmt;

/// The code for a wrong call or configuration (`EX_USAGE` of sysexits.h).
pub const USAGE: u8 = 64;

/// Why the program ends without having done what was asked.
#[derive(Debug)]
pub enum Exit {
    /// The call or the configuration is wrong; each line says what and what is allowed.
    Usage(Vec<String>),
    /// Anything else.
    Failed(anyhow::Error),
}

impl Exit {
    /// One line of usage.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(vec![message.into()])
    }

    /// The process's exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(lines) => f.write_str(&lines.join("\n        ")),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Exit {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Exit {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<chorus_runtime::config::ConfigError> for Exit {
    fn from(error: chorus_runtime::config::ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}
