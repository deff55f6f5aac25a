//! The data block of SIA DC-03: `|Nti15:42/ri5/BA1/BA2^text^`. Modifiers hold for the codes behind them.

use super::codes::{self, Meaning};

/// One code of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    /// What it says; `None` for letters that the table does not know.
    pub(super) meaning: Option<Meaning>,
    /// The digits behind it.
    pub(super) number: &'a str,
    /// `ri`.
    pub(super) area: &'a str,
    /// `id`: a person.
    pub(super) user: &'a str,
    /// An old event (`O`), stored by the panel and sent late.
    pub(super) is_old: bool,
}

/// What a block says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) items: Vec<Item<'a>>,
    /// Free text was present. It is not kept.
    pub(super) has_text: bool,
}

/// The modifiers that hold for the codes behind them, up to the next bar.
#[derive(Clone, Copy, Default)]
struct Context<'a> {
    area: &'a str,
    user: &'a str,
    is_old: bool,
}

/// Reads the codes of a block, and passes over its texts.
pub(super) fn read(data: &str) -> Block<'_> {
    let mut block = Block::default();
    let mut context = Context::default();
    let (mut codes, mut rest) = before_text(data);
    block.functions(codes, true, &mut context);
    while let Some(behind) = rest {
        block.has_text = true;
        // What follows a text in its own segment (`NM`) is the maker's.
        let next = behind_text(behind).find(['/', '|']).and_then(|at| behind_text(behind).get(at..));
        (codes, rest) = before_text(next.unwrap_or_default());
        block.functions(codes, false, &mut context);
    }
    block
}

/// What stands before the first text, and that text with its opening mark: texts stand between carets, or behind an asterisk.
fn before_text(data: &str) -> (&str, Option<&str>) {
    match data.find(['^', '*']).and_then(|at| data.split_at_checked(at)) {
        Some((codes, text)) => (codes, Some(text)),
        None => (data, None),
    }
}

/// What stands behind a text: of a caret the next caret; of an asterisk the closing quote, or the next slash or bar.
fn behind_text(text: &str) -> &str {
    let inside = text.get(1..).unwrap_or_default();
    let quoted = |quote| inside.get(1..).and_then(|text: &str| text.split_once(quote)).map_or("", |(_, behind)| behind);
    match (text.chars().next(), inside.chars().next()) {
        (Some('^'), _) => inside.split_once('^').map_or("", |(_, behind)| behind),
        (_, Some(quote @ ('"' | '\''))) => quoted(quote),
        _ => inside.find(['/', '|']).and_then(|at| inside.get(at..)).unwrap_or_default(),
    }
}

impl<'a> Block<'a> {
    /// Functions with a bar between them. The first one may go on where a text interrupted it.
    fn functions(&mut self, text: &'a str, is_start: bool, context: &mut Context<'a>) {
        for (index, function) in text.split('|').enumerate() {
            let mut function = function.trim();
            if index > 0 || is_start {
                *context = Context::default();
                // `A` begins a block of text, unless it is the first letter of a code (`AT0`) that lost its function letter.
                if function.starts_with('A') && (index > 0 || !begins_with_code(function)) {
                    self.has_text = true;
                    continue;
                }
                let old = function.strip_prefix('O').filter(|rest| begins(rest));
                let new = function.strip_prefix('N').filter(|rest| begins(rest));
                context.is_old = old.is_some();
                function = old.or(new).unwrap_or(function);
            }
            for segment in function.split('/') {
                self.segment(segment.trim(), context);
            }
        }
    }

    fn segment(&mut self, mut rest: &'a str, context: &mut Context<'a>) {
        while let Some((letters, behind)) = rest.split_at_checked(2) {
            if letters.bytes().all(|byte| byte.is_ascii_lowercase()) {
                // A modifier; one panel forgets the slash behind it.
                let end = behind.find(|c: char| c.is_ascii_uppercase()).unwrap_or(behind.len());
                let (value, code) = behind.split_at_checked(end).unwrap_or((behind, ""));
                match letters {
                    "ri" => context.area = value.trim(),
                    "id" => context.user = value.trim(),
                    _ => {}
                }
                rest = code;
                continue;
            }
            if !begins_with_code(rest) {
                break;
            }
            let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
            let (number, behind) = behind.split_at_checked(end).unwrap_or((behind, ""));
            let Context { area, user, is_old } = *context;
            self.items.push(Item { meaning: codes::by_code(letters), number, area, user, is_old });
            // Letters behind the number are a maker's (`NM`), unless another code with its number begins there.
            let another = behind.as_bytes().get(2).is_some_and(u8::is_ascii_digit);
            rest = if another { behind } else { "" };
        }
        self.has_text |= !rest.is_empty();
    }
}

/// True when a function's content begins here: a modifier, a slash, a code.
fn begins(text: &str) -> bool {
    text.is_empty()
        || text.starts_with('/')
        || text.starts_with(|c: char| c.is_ascii_lowercase())
        || begins_with_code(text)
}

/// Two capital letters, and behind them a number, nothing, or a maker's two letters. `PAtio` is none.
fn begins_with_code(text: &str) -> bool {
    let Some((letters, behind)) = text.split_at_checked(2) else { return false };
    let letters_fit = letters.bytes().all(|byte| byte.is_ascii_uppercase()) || letters == "L_";
    letters_fit && (behind.is_empty() || behind == "NM" || behind.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kind number area user` of each code.
    fn rows(data: &str) -> Vec<String> {
        let row = |item: &Item<'_>| {
            let kind = item.meaning.map_or("unknown", |meaning| meaning.kind.as_str());
            format!("{kind} {} {} {}{}", item.number, item.area, item.user, if item.is_old { " old" } else { "" })
        };
        read(data).items.iter().map(row).collect()
    }

    #[test]
    fn blocks_are_read_as_panels_write_them() {
        let table: &[(&str, &[&str])] = &[
            ("Nri1/CL501", &["arming.changed 501 1 "]),
            ("Nri1CL0^VX FRONTE ^", &["arming.changed 0 1 "]),
            ("Nri04/OP001NM", &["arming.changed 001 04 "]),
            ("Nti15:42/id3129/ri5/BA1/BA2", &["intrusion.zone 1 5 3129", "intrusion.zone 2 5 3129"]),
            ("Ori2/FA7", &["fire.alarm 7 2  old"]),
            ("OP001", &["arming.changed 001  "]),
            ("NA3", &["device.fault 3  "]),
            ("NFA129", &["fire.alarm 129  "]),
            ("Nri1/BA01*\"Room 3/PA4\"NM", &["intrusion.zone 01 1 "]),
            ("Nri1/BA01*Lobby/BA02", &["intrusion.zone 01 1 ", "intrusion.zone 02 1 "]),
            (
                "Nri1/BA01^a/PA3^NM/BA02^b^|Ori2/FA1",
                &["intrusion.zone 01 1 ", "intrusion.zone 02 1 ", "fire.alarm 1 2  old"],
            ),
            ("Nri1/BA01|APAtio|Nri2/BA02", &["intrusion.zone 01 1 ", "intrusion.zone 02 2 "]),
            ("Nri1/ZX9/BA1", &["unknown 9 1 ", "intrusion.zone 1 1 "]),
            ("BA001BH002", &["intrusion.zone 001  ", "intrusion.zone 002  "]),
            ("PAtio", &[]),
            ("", &[]),
        ];
        for (data, want) in table {
            assert_eq!(rows(data), *want, "{data}");
        }
    }

    #[test]
    fn text_is_noticed_and_never_kept() {
        for data in ["BA1^MARKER^", "BA1*'MARKER'", "BA1|AMARKER", "BA1/MARKER", "BA1^MARKER"] {
            let block = read(data);
            assert!(block.has_text, "{data}");
            assert!(!format!("{block:?}").contains("MARKER"), "{data}");
        }
        assert!(!read("Nri1/BA01").has_text);
    }
}
