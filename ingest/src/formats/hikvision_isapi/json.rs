//! The JSON of a notification, of a list of them, and of a search for stored access events.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::json::Key;
use super::notice::{Document, MAX_NOTICES, Notice};
use crate::observation::Reason;

/// One JSON document. It is read as it comes, without a tree.
pub(super) struct Json(pub(super) Result<Document, Reason>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut root = Root::default();
        deserializer.deserialize_any(Member { place: Place::Root(&mut root), parent: "", name: "" })?;
        Ok(Self(root.document()))
    }
}

/// What a document turned out to be.
#[derive(Default)]
struct Root {
    notice: Notice,
    list: Option<Vec<Notice>>,
    stored: Option<Vec<Notice>>,
    is_alert: bool,
    is_answer: bool,
}

impl Root {
    fn document(self) -> Result<Document, Reason> {
        match self {
            Self { list: Some(notices), .. } => Ok(Document::Notices(notices)),
            Self { stored: Some(notices), .. } => Ok(Document::Polled(notices)),
            Self { is_alert: true, notice, .. } => Ok(Document::Notices(vec![notice])),
            Self { is_answer: true, .. } => Ok(Document::Answer),
            _ => Err(Reason::NotThisFormat),
        }
    }
}

/// Where a value stands.
enum Place<'p> {
    Root(&'p mut Root),
    /// Below `AcsEvent`.
    Search(&'p mut Vec<Notice>),
    /// A list of notices of their own.
    List(&'p mut Vec<Notice>),
    /// Inside a notice.
    Inside(&'p mut Notice),
}

/// A value, with its name and that of what holds it.
struct Member<'p, 'n> {
    place: Place<'p>,
    parent: &'n str,
    name: &'n str,
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Member<'_, '_> {
    fn scalar(self, value: &str) {
        match self.place {
            Place::Inside(notice) => notice.take(self.parent, self.name, value),
            Place::List(notices) if notices.len() <= MAX_NOTICES => notices.push(Notice::default()),
            Place::List(_) | Place::Root(_) | Place::Search(_) => {}
        }
    }
}

impl<'de> Visitor<'de> for Member<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON of a notification")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.place {
            Place::Root(root) => {
                while let Some(Key(name)) = map.next_key()? {
                    let place = match &*name {
                        "AcsEvent" => Place::Search(root.stored.get_or_insert_default()),
                        "EventNotificationAlert" => {
                            root.is_alert = true;
                            map.next_value_seed(Member {
                                place: Place::Inside(&mut root.notice),
                                parent: "",
                                name: "",
                            })?;
                            continue;
                        }
                        _ => {
                            root.is_alert |= name == "eventType";
                            root.is_answer |= matches!(&*name, "statusCode" | "ResponseStatus");
                            root.notice.saw(&name);
                            Place::Inside(&mut root.notice)
                        }
                    };
                    map.next_value_seed(Member { place, parent: "", name: &name })?;
                }
            }
            Place::Search(notices) => {
                while let Some(Key(name)) = map.next_key()? {
                    if name == "InfoList" {
                        map.next_value_seed(Member {
                            place: Place::List(&mut *notices),
                            parent: "InfoList",
                            name: "",
                        })?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Place::List(notices) => {
                let mut notice = Notice::default();
                members(&mut notice, self.parent, &mut map)?;
                if notices.len() <= MAX_NOTICES {
                    notices.push(notice);
                }
            }
            // The members of an object are below its name; those of a list's objects below the list's.
            Place::Inside(notice) => members(notice, self.name, &mut map)?,
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        match self.place {
            Place::Root(root) => {
                let list = root.list.get_or_insert_default();
                while seq.next_element_seed(Member { place: Place::List(&mut *list), parent: "", name: "" })?.is_some()
                {
                }
            }
            Place::List(notices) => {
                let parent = self.parent;
                while seq.next_element_seed(Member { place: Place::List(&mut *notices), parent, name: "" })?.is_some() {
                }
            }
            Place::Inside(notice) => {
                let name = self.name;
                while seq
                    .next_element_seed(Member { place: Place::Inside(&mut *notice), parent: "[]", name })?
                    .is_some()
                {}
            }
            Place::Search(_) => while seq.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.scalar(text);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.scalar(&number.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.scalar(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        // No field that is read has a fraction.
        self.scalar("");
        Ok(())
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<(), E> {
        self.scalar(if is_true { "true" } else { "false" });
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar("");
        Ok(())
    }
}

/// Reads the members of an object into a notice.
fn members<'de, A: MapAccess<'de>>(notice: &mut Notice, parent: &str, map: &mut A) -> Result<(), A::Error> {
    while let Some(Key(name)) = map.next_key()? {
        notice.saw(&name);
        map.next_value_seed(Member { place: Place::Inside(&mut *notice), parent, name: &name })?;
    }
    Ok(())
}
