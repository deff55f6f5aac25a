//! XML by quick-xml's event loop, by local names, within limits; no tree is built.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::multipart::MAX_NAME;
use crate::observation::Reason;

/// Deeper documents are refused.
const MAX_DEPTH: usize = 64;

/// What the walk meets.
pub(crate) enum Node<'w> {
    /// An element begins.
    Open(Attributes<'w>),
    /// An element ends; `text` is its own text, trimmed, entities resolved (of an element with children: what stands behind
    /// the last child).
    Close { text: &'w str },
}

/// The attributes of an element.
pub(crate) struct Attributes<'w>(&'w BytesStart<'w>);

impl Attributes<'_> {
    /// The value of an attribute by its local name.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.attributes().with_checks(false).flatten().find_map(|attribute| {
            let local = attribute.key.local_name();
            let key: &str = local.as_ref();
            if key != name {
                return None;
            }
            attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok().map(std::borrow::Cow::into_owned)
        })
    }
}

/// The way from the root to the element at hand, in local names: `Notify/Info/AlarmType`.
#[derive(Default)]
pub(crate) struct Path {
    text: String,
    ends: Vec<usize>,
}

impl Path {
    /// The whole way.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The element's own name.
    pub(crate) fn name(&self) -> &str {
        // Behind the way to its parent, and the slash after it.
        let start = self.ends.last().map_or(0, |end| end + usize::from(*end > 0));
        self.text.get(start..).unwrap_or_default()
    }

    /// True when the way ends in these names: `path.ends_with("Info/AlarmType")`.
    pub(crate) fn ends_with(&self, tail: &str) -> bool {
        self.text.strip_suffix(tail).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    }

    /// How many elements are open: 1 at the root.
    pub(crate) fn depth(&self) -> usize {
        self.ends.len()
    }

    fn push(&mut self, name: &str) -> Result<(), Reason> {
        if self.ends.len() >= MAX_DEPTH || name.len() > MAX_NAME {
            return Err(Reason::TooLarge);
        }
        self.ends.push(self.text.len());
        if !self.text.is_empty() {
            self.text.push('/');
        }
        self.text.push_str(name);
        Ok(())
    }

    fn pop(&mut self) {
        if let Some(end) = self.ends.pop() {
            self.text.truncate(end);
        }
    }
}

/// Walks a document. Bytes before the first `<` are the caller's to cut off.
///
/// # Errors
/// Broken syntax, a document that ends inside an element, nesting beyond [`MAX_DEPTH`], a name beyond [`MAX_NAME`], or what `visit` answers.
pub(crate) fn walk(text: &str, mut visit: impl FnMut(&Path, Node<'_>) -> Result<(), Reason>) -> Result<(), Reason> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.allow_dangling_amp = true;
    let mut path = Path::default();
    let mut own = String::new();
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref())?;
                own.clear();
                visit(&path, Node::Open(Attributes(&start)))?;
            }
            Event::Empty(start) => {
                path.push(start.local_name().as_ref())?;
                visit(&path, Node::Open(Attributes(&start)))?;
                visit(&path, Node::Close { text: "" })?;
                path.pop();
                own.clear();
            }
            Event::Text(part) => own.push_str(&part.xml10_content()),
            Event::CData(part) => own.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => push_entity(&mut own, &reference),
            Event::End(_) => {
                visit(&path, Node::Close { text: own.trim() })?;
                path.pop();
                own.clear();
            }
            Event::Eof if path.ends.is_empty() => return Ok(()),
            Event::Eof => return Err(Reason::Truncated),
            // Document types are never expanded: no entity of the sender's own is resolved.
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
}

/// What ends inside its markup was cut off; everything else is broken.
fn broken(error: &quick_xml::Error) -> Reason {
    use quick_xml::errors::SyntaxError as Syntax;
    match error {
        quick_xml::Error::Syntax(Syntax::InvalidBangMarkup) => Reason::BadSyntax,
        quick_xml::Error::Syntax(_) => Reason::Truncated,
        _ => Reason::BadSyntax,
    }
}

fn push_entity(own: &mut String, reference: &quick_xml::events::BytesRef<'_>) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        own.push(character);
        return;
    }
    let name: &str = reference;
    if let Some(text) = quick_xml::escape::resolve_predefined_entity(name) {
        own.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(text: &str) -> Result<Vec<(String, String)>, Reason> {
        let mut seen = Vec::new();
        walk(text, |path, node| {
            if let Node::Close { text } = node {
                seen.push((path.as_str().to_owned(), text.to_owned()));
            }
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn names_are_local_and_text_is_trimmed_and_resolved() {
        let seen = closes("<?xml version='1.0'?><ns1:A xmlns:ns1='u'><b> x &amp; &#65; </b><c/></ns1:A>").unwrap();
        let want = [("A/b", "x & A"), ("A/c", ""), ("A", "")];
        assert_eq!(seen, want.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_is_broken_or_cut_off_is_told() {
        for cut in ["<a><b>", "<a", "<a></", "<a></a", "<a><!-- ", "<a b='"] {
            assert_eq!(closes(cut).unwrap_err(), Reason::Truncated, "{cut}");
        }
        assert_eq!(closes("<a></b>").unwrap_err(), Reason::BadSyntax);
        assert_eq!(closes(&"<a>".repeat(1_000)).unwrap_err(), Reason::TooLarge);
    }

    #[test]
    fn names_have_a_limit_so_that_a_way_is_short() {
        let element = |length: usize| format!("<a><{0}/></a>", "n".repeat(length));
        assert!(closes(&element(MAX_NAME)).is_ok());
        assert_eq!(closes(&element(MAX_NAME + 1)).unwrap_err(), Reason::TooLarge);
    }

    #[test]
    fn the_depth_is_the_number_of_open_elements() {
        let mut depths = Vec::new();
        walk("<a><b><c/></b></a>", |path, node| {
            if let Node::Close { .. } = node {
                depths.push(path.depth());
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(depths, [3, 2, 1]);
    }

    #[test]
    fn attributes_are_found_by_local_name() {
        let mut value = None;
        walk("<a><i x:Name='n' Value='1 &lt; 2'/></a>", |path, node| {
            if let (Node::Open(attributes), "i") = (node, path.name()) {
                value = attributes.get("Value").zip(attributes.get("Name"));
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(value, Some(("1 < 2".to_owned(), "n".to_owned())));
    }
}
