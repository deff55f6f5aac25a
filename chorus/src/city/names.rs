//! Names and positions. Districts and streets are Nanchang's; every other name is made up of words of our own and a number.

use super::random::Random;

/// Words that sound like a place and belong to none that we know of.
const WORDS: [&str; 40] = [
    "星禾", "云汀", "晴屿", "松影", "霁月", "澄溪", "鹭屿", "栖梧", "映荷", "听澜", "朗川", "知夏", "望舒", "清樾",
    "锦漪", "棠溪", "皓宁", "若谷", "霜序", "安澜", "沐晨", "书岚", "梧月", "静姝", "启翎", "和煦", "云栖", "瑞禾",
    "芷汀", "暖阳", "秋屿", "凌霄", "竹漪", "枫桦", "听潮", "悦澄", "珞琳", "砚秋", "蓝羽", "夏禾",
];

const SCHOOLS: [&str; 4] = ["小学", "中学", "实验学校", "幼儿园"];
const HOSPITALS: [&str; 3] = ["医院", "妇幼保健院", "社区卫生服务中心"];
const VILLAGES: [&str; 6] = ["小区", "花园", "苑", "新村", "公馆", "家园"];

/// Roughly the middle of each district: code, degrees north, degrees east.
const MIDDLES: [(&str, f64, f64); 9] = [
    ("360102", 28.685, 115.899),
    ("360103", 28.657, 115.877),
    ("360104", 28.621, 115.925),
    ("360111", 28.683, 115.962),
    ("360112", 28.693, 115.815),
    ("360113", 28.698, 115.858),
    ("360121", 28.546, 115.933),
    ("360123", 28.846, 115.549),
    ("360124", 28.377, 116.241),
];

/// The name of the `number`th school, counted from 1.
pub(super) fn school(number: usize) -> String {
    numbered(number, &SCHOOLS)
}

/// The name of the `number`th hospital.
pub(super) fn hospital(number: usize) -> String {
    numbered(number, &HOSPITALS)
}

/// The name of the `number`th village.
pub(super) fn village(number: usize) -> String {
    format!("{}{}{number}区", word(number), VILLAGES[number % VILLAGES.len()])
}

/// The name of a street's `number`th community.
pub(super) fn community(street: &str, number: usize) -> String {
    format!("{street}第{number}社区")
}

fn numbered(number: usize, types: &[&str]) -> String {
    format!("{}第{number}{}", word(number), types[number % types.len()])
}

fn word(number: usize) -> &'static str {
    WORDS[number * 7 % WORDS.len()]
}

/// A position in a district: degrees north and east with five digits, which is about a metre.
pub(super) fn position(district: &str, random: &mut Random) -> (f64, f64) {
    let middle = MIDDLES.iter().find(|(code, _, _)| *code == district);
    let (_, lat, lon) = middle.copied().unwrap_or(("360100", 28.68, 115.86));
    let mut near = |degrees: f64| ((degrees + (random.unit() - 0.5) * 0.05) * 1e5).round() / 1e5;
    (near(lat), near(lon))
}
