//! Sentences for the desk.

use chorus_model::Text;

/// Puts the place's name where a rule left room for it.
pub(crate) fn name_place(text: &Text, name: &str) -> Text {
    Text { zh: text.zh.replace("{place}", name), en: text.en.replace("{place}", name) }
}

/// Says at how many places of a division the same is found, and where it was found first.
pub(crate) fn at_places(first: &Text, places: usize, division: &str) -> Text {
    Text {
        zh: format!("{division}：{places} 处同时出现同类情况，最早为：{}", first.zh),
        en: format!("{division}: the same at {places} places at once; the first: {}", first.en),
    }
}

/// Says that the alert about the whole division goes on with it.
pub(crate) fn now_part_of(text: &Text, division: &str) -> Text {
    Text {
        zh: format!("{}（已并入 {division} 的警情）", text.zh),
        en: format!("{} (now part of the alert about {division})", text.en),
    }
}

/// Says how many more conditions there are beside the one that the sentence is about.
pub(crate) fn and_more(text: &Text, more: usize) -> Text {
    if more == 0 {
        return text.clone();
    }
    Text { zh: format!("{}（另有 {more} 项）", text.zh), en: format!("{} (and {more} more)", text.en) }
}
