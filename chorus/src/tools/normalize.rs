//! `chorus normalize`: payload files to canonical events, one JSON a line; rejects on stderr.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use chorus_ingest::border::Border;
use chorus_ingest::feeds::Settings;
use chorus_ingest::formats::{self, Format};
use chorus_ingest::normalize::{Outcome, normalize};
use chorus_ingest::observation::Reason;
use chorus_model::{Span, Timestamp};
use chorus_runtime::clock;

use crate::exit::Exit;

/// Longer than any two times that a format can write are apart.
const ANY_TIME: Span = Span::from_secs(20_000 * 366 * 86_400);

/// What was asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The wire format; `auto` looks at the bytes.
    #[arg(long)]
    pub format: String,
    /// The zone of times that carry none (an IANA name).
    #[arg(long, default_value = "Asia/Shanghai")]
    pub zone: String,
    /// When the records were received (RFC 3339), by which implausible times are told. Without it they count as received
    /// now, and no time is implausible.
    #[arg(long)]
    pub received_at: Option<Timestamp>,
    /// The connector: the device of formats whose records do not name theirs. Without it that is the file's name.
    #[arg(long)]
    pub source: Option<String>,
    /// Refuse what fails its format's own integrity check, instead of flagging it.
    #[arg(long)]
    pub strict: bool,
    /// Payload files; `-` for standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// Reads the files, prints events on stdout and rejects on stderr.
///
/// # Errors
/// An unknown format or zone; a file that cannot be read. A record that is rejected is no error: it had its fate.
pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    let format = format(&arguments.format)?;
    let mut settings = Settings { zone: arguments.zone.clone(), strict: arguments.strict, ..Settings::default() };
    if arguments.received_at.is_none() {
        // Nobody knows when a file was received: then no time of a device is implausible.
        (settings.plausible_past, settings.plausible_future) = (ANY_TIME, ANY_TIME);
    }
    let policy = settings.policy().map_err(|(key, message)| Exit::usage(format!("--{key}: {message}")))?;
    let border = Border::new(policy, None);
    let received_at = arguments.received_at.unwrap_or_else(clock::now);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for file in &arguments.files {
        let bytes = read(file)?;
        let name = file.display().to_string();
        let of_source = |source: Option<&str>| normalize(&bytes, format, &name, source, received_at, &border);
        let mut outcomes = of_source(arguments.source.as_deref());
        let lacks = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(Reason::MissingField));
        if arguments.source.is_none() && outcomes.iter().any(lacks) {
            // Perhaps what is missing is the device, which its connector would have named.
            outcomes = of_source(file.file_stem().map(|stem| stem.to_string_lossy()).as_deref());
        }
        for (index, outcome) in outcomes.into_iter().enumerate() {
            let (fate, reason) = match outcome {
                Outcome::Event(event) => {
                    let json = serde_json::to_string(&event).map_err(anyhow::Error::from)?;
                    writeln!(out, "{json}")?;
                    continue;
                }
                Outcome::Filtered(why) => ("filtered", why),
                Outcome::Rejected(reason) => ("rejected", reason.as_str()),
            };
            let line = serde_json::json!({"file": name, "index": index, "fate": fate, "reason": reason});
            eprintln!("{line}");
        }
    }
    out.flush()?;
    Ok(())
}

fn format(name: &str) -> Result<Option<&'static Format>, Exit> {
    if name == "auto" {
        return Ok(None);
    }
    formats::by_name(name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = formats::FORMATS.iter().map(|format| format.name).collect();
        Exit::usage(format!("--format {name}: unknown, allowed: auto, {}", known.join(", ")))
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Exit> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| Exit::Failed(anyhow::anyhow!("{}: {error}", file.display())))
}
