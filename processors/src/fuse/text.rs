//! Sentences for the desk.

use chorus_model::Text;

/// Puts the place's name where a rule left room for it.
pub(crate) fn name_place(text: &Text, name: &str) -> Text {
    Text { zh: text.zh.replace("{place}", name), en: text.en.replace("{place}", name) }
}

/// Says how many more conditions there are beside the one that the sentence is about.
pub(crate) fn and_more(text: &Text, more: usize) -> Text {
    if more == 0 {
        return text.clone();
    }
    Text { zh: format!("{}（另有 {more} 项）", text.zh), en: format!("{} (and {more} more)", text.en) }
}
