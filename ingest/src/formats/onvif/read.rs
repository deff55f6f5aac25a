//! Notifications out of XML (WS-Notification, metadata stream), the JSON of python zeep, and Axis's MQTT.

use serde_json::Value;

use super::super::{ident, xml};
use crate::observation::Reason;

/// The most notifications of one record.
pub(super) const MAX_MESSAGES: usize = 1_000;
/// The most items of one notification.
const MAX_ITEMS: usize = 64;
/// Longer values are not read; longer names are an attack.
const MAX_TEXT: usize = 256;

/// What `PropertyOperation` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Initialized,
    Changed,
    Deleted,
}

/// One notification. Never printed: its items may be anybody's.
#[derive(Default)]
pub(super) struct Message {
    pub(super) topic: Option<String>,
    pub(super) utc_time: Option<String>,
    pub(super) millis: Option<i64>,
    pub(super) operation: Option<Operation>,
    /// Of source and key.
    pub(super) source: Vec<(String, String)>,
    pub(super) data: Vec<(String, String)>,
    pub(super) producer: Option<String>,
    pub(super) mac: Option<String>,
}

impl Message {
    fn set_operation(&mut self, word: &str) {
        self.operation = match word {
            "Initialized" => Some(Operation::Initialized),
            "Changed" => Some(Operation::Changed),
            "Deleted" => Some(Operation::Deleted),
            _ => None,
        };
    }

    fn set_producer(&mut self, address: &str) {
        self.producer = address.split('/').find_map(ident::uuid);
    }

    fn push(&mut self, group: &str, name: &str, value: &str) {
        let items = match group {
            "Source" | "Key" => &mut self.source,
            "Data" => &mut self.data,
            _ => return,
        };
        if items.len() < MAX_ITEMS && name.len() <= MAX_TEXT {
            let value = if value.len() <= MAX_TEXT { value.trim() } else { "" };
            items.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// What else a document held.
#[derive(Default)]
pub(super) struct Rest {
    /// Frames of the video analytics.
    pub(super) frames: bool,
    /// The outermost element is one that carries notifications.
    pub(super) known_root: bool,
}

/// Reads XML; what was read before an error stays read.
pub(super) fn from_xml(text: &str, messages: &mut Vec<Message>) -> Result<Rest, Reason> {
    let mut rest = Rest::default();
    let mut current: Option<Message> = None;
    xml::walk(text, |path, node| {
        let name = path.name();
        match node {
            xml::Node::Open(attributes) => {
                if name.len() > MAX_TEXT {
                    return Err(Reason::TooLarge);
                }
                rest.frames |= name == "Frame";
                rest.known_root |= is_root(name);
                if is_notification(name) {
                    if messages.len() >= MAX_MESSAGES {
                        return Err(Reason::TooLarge);
                    }
                    current = Some(Message::default());
                }
                let Some(message) = &mut current else { return Ok(()) };
                match name {
                    "Message" => {
                        message.utc_time = message.utc_time.take().or_else(|| attributes.get("UtcTime"));
                        if let Some(word) = attributes.get("PropertyOperation") {
                            message.set_operation(&word);
                        }
                    }
                    "SimpleItem" => {
                        let group = path.as_str().rsplit('/').nth(1).unwrap_or_default();
                        if let Some(item) = attributes.get("Name") {
                            message.push(group, &item, &attributes.get("Value").unwrap_or_default());
                        }
                    }
                    _ => {}
                }
            }
            xml::Node::Close { text } => {
                let Some(message) = &mut current else { return Ok(()) };
                if name == "Topic" && text.len() <= MAX_TEXT {
                    message.topic = Some(text.to_owned());
                } else if path.ends_with("ProducerReference/Address") {
                    message.set_producer(text);
                } else if is_notification(name) {
                    messages.extend(current.take());
                }
            }
        }
        Ok(())
    })?;
    Ok(rest)
}

/// The element of a notification, as the standard and as its own example spell it.
fn is_notification(name: &str) -> bool {
    matches!(name, "NotificationMessage" | "NotficationMessage")
}

fn is_root(name: &str) -> bool {
    matches!(
        name,
        "MetadataStream"
            | "MetaDataStream"
            | "Notify"
            | "PullMessagesResponse"
            | "GetEventInstancesResponse"
            | "Envelope"
    ) || is_notification(name)
}

/// Reads JSON.
pub(super) fn from_json(value: &Value, messages: &mut Vec<Message>) -> Result<(), Reason> {
    if let Some(list) = value.as_array().or_else(|| value.get("NotificationMessage").and_then(Value::as_array)) {
        for value in list {
            one_json(value, messages)?;
        }
        return Ok(());
    }
    one_json(value, messages)
}

fn one_json(value: &Value, messages: &mut Vec<Message>) -> Result<(), Reason> {
    if messages.len() >= MAX_MESSAGES {
        return Err(Reason::TooLarge);
    }
    if value.get("Topic").is_some() || value.get("Message").is_some() {
        messages.push(zeep(value));
        return Ok(());
    }
    if value.get("topic").is_some() && value.get("message").is_some() {
        messages.push(axis_mqtt(value));
        return Ok(());
    }
    Err(Reason::NotThisFormat)
}

/// The text of a value that zeep may have wrapped.
fn unwrapped(value: Option<&Value>) -> Option<&Value> {
    let value = value?;
    value.get("_value_1").or(Some(value))
}

fn zeep(value: &Value) -> Message {
    let mut message = Message::default();
    let short = |value: &&str| value.len() <= MAX_TEXT;
    message.topic = unwrapped(value.get("Topic")).and_then(Value::as_str).filter(short).map(str::to_owned);
    let producer = value.get("ProducerReference").and_then(|reference| unwrapped(reference.get("Address")));
    if let Some(address) = producer.and_then(Value::as_str) {
        message.set_producer(address);
    }
    let Some(inner) = unwrapped(value.get("Message")) else { return message };
    message.utc_time = inner.get("UtcTime").and_then(Value::as_str).filter(short).map(str::to_owned);
    message.set_operation(inner.get("PropertyOperation").and_then(Value::as_str).unwrap_or_default());
    for group in ["Source", "Key", "Data"] {
        let items = inner.get(group).and_then(|node| node.get("SimpleItem"));
        match items {
            Some(Value::Array(items)) => items.iter().for_each(|item| push_item(&mut message, group, item)),
            Some(item) => push_item(&mut message, group, item),
            None => {}
        }
    }
    message
}

fn push_item(message: &mut Message, group: &str, item: &Value) {
    if let Some(name) = item.get("Name").and_then(Value::as_str) {
        message.push(group, name, &scalar(item.get("Value")));
    }
}

fn axis_mqtt(value: &Value) -> Message {
    let mut message = Message::default();
    let short = |value: &&str| value.len() <= MAX_TEXT;
    message.topic = value.get("topic").and_then(Value::as_str).filter(short).map(str::to_owned);
    let stamp = scalar(value.get("timestamp"));
    message.millis = stamp.parse().ok();
    message.utc_time = message.millis.is_none().then_some(stamp).filter(|stamp| !stamp.is_empty());
    message.mac = value.get("serial").and_then(Value::as_str).and_then(ident::mac);
    // There is no operation on MQTT: every message with a state is a change of it.
    message.operation = Some(Operation::Changed);
    for (group, name) in [("Source", "source"), ("Key", "key"), ("Data", "data")] {
        let members = value.get("message").and_then(|inner| inner.get(name)).and_then(Value::as_object);
        for (name, value) in members.into_iter().flatten() {
            message.push(group, name, &scalar(Some(value)));
        }
    }
    message
}

fn scalar(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) if text.len() <= MAX_TEXT => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => flag.to_string(),
        _ => String::new(),
    }
}
