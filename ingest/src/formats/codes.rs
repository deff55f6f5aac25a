//! Tables of numbers with their meanings, sorted by the number.

/// The meaning of a number, if the table knows it.
pub(crate) fn find<T: Copy>(table: &[(i64, T)], code: i64) -> Option<T> {
    let at = table.binary_search_by_key(&code, |(known, _)| *known).ok()?;
    table.get(at).map(|(_, meaning)| *meaning)
}

/// Checks that a table is sorted, has no number twice, and knows every number of one of the guide's tables (the first column
/// of a file in `_codes/`, which may be absent), and not `unknown`.
#[cfg(test)]
pub(crate) fn check<T: Copy>(table: &[(i64, T)], guide: &str, unknown: i64) {
    assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(find(table, unknown).is_none());
    let path = format!("/work/shared/feeds/_codes/{guide}");
    let Ok(rows) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {path} is absent");
        return;
    };
    for line in rows.lines().skip(1) {
        let code = line.split('\t').next().unwrap().parse().unwrap();
        assert!(find(table, code).is_some(), "{line}");
    }
}
