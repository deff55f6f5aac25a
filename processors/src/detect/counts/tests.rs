//! Made-up series with a known truth.

use super::*;

/// Rows of a hall that is open on weekdays, with a little noise; `days` from a Monday on.
fn hall(days: i64, step: i64) -> Vec<(i64, f64)> {
    let rows = (0..days * DAY / step).map(|row| {
        let at = 4 * DAY + row * step; // the epoch was a Thursday
        let (hour, weekday) = (at.rem_euclid(DAY) / 3_600, (at / DAY + 3).rem_euclid(7));
        let hourly = if weekday >= 5 {
            8.0
        } else if (8..18).contains(&hour) {
            120.0
        } else {
            6.0
        };
        let noise = (row * 7_919 % 101) as f64 / 101.0 - 0.5;
        let mean = hourly * step as f64 / 3_600.0;
        (at, (mean + noise * 2.0 * mean.sqrt()).round().max(0.0))
    });
    rows.collect()
}

fn alerts(rows: &[(i64, f64)]) -> Vec<Why> {
    let mut counts = Counts::new();
    let verdicts = rows.iter().map(|(at, count)| counts.row(*at, Some(*count)));
    verdicts.filter(|verdict| verdict.score >= THRESHOLD).filter_map(|verdict| verdict.why).collect()
}

#[test]
fn a_regular_hall_is_never_told() {
    for step in [300, 900, 1_800, 3_600, 86_400] {
        let told = alerts(&hall(70, step));
        assert!(told.is_empty(), "rows of {step} seconds: {} alerts, {:?}", told.len(), told.first());
    }
}

#[test]
fn an_evening_event_is_told_while_it_goes_on_at_any_fine_resolution() {
    let from = (4 + 37) * DAY + 20 * 3_600; // a Wednesday
    for step in [60, 300, 900, 1_800] {
        let mut rows = hall(42, step);
        let crowd = 90.0 * step as f64 / 1_800.0;
        rows.iter_mut().filter(|(at, _)| (from..from + 7_200).contains(at)).for_each(|(_, count)| *count += crowd);
        let told = alerts(&rows);
        let is_right = |why: &Why| why.what == What::Excess && why.to > from && why.to < from + 10_000;
        let wrong = told.iter().find(|why| !is_right(why));
        assert!(wrong.is_none(), "rows of {step} seconds: {wrong:?}");
        assert!(told.first().is_some_and(|why| why.to <= from + 3_600), "rows of {step} seconds: {:?}", told.first());
    }
}

#[test]
fn a_weekday_that_looks_like_a_sunday_is_told_at_its_end() {
    let day = 4 + 35 + 1; // a Tuesday
    let mut rows = hall(42, 3_600);
    rows.iter_mut().filter(|(at, _)| at.div_euclid(DAY) == day).for_each(|(_, count)| *count = 8.0);
    let told = alerts(&rows);
    assert!(!told.is_empty() && told.iter().all(|why| why.to > day * DAY && why.to <= (day + 1) * DAY), "{told:?}");
    assert!(told.iter().all(|why| matches!(why.what, What::OtherDay | What::LowDay | What::Lack)), "{told:?}");
}

#[test]
fn a_dead_device_is_one_silence_and_no_drop_every_day_and_its_return_is_no_event() {
    let dead = (4 + 29) * DAY + 10 * 3_600;
    let mut rows = hall(70, 3_600);
    rows.iter_mut().filter(|(at, _)| (dead..dead + 20 * DAY).contains(at)).for_each(|(_, count)| *count = 0.0);
    let told = alerts(&rows);
    let silences = told.iter().filter(|why| why.what == What::Silence).count();
    assert_eq!(silences, 1, "{told:?}");
    assert!(told.iter().all(|why| why.what == What::Silence || why.what == What::Lack), "{told:?}");
    assert!(told.len() <= 4, "{told:?}");
}

#[test]
fn missing_rows_are_not_zero() {
    let mut counts = Counts::new();
    for (at, count) in hall(70, 3_600) {
        let gone = ((4 + 30) * DAY..(4 + 40) * DAY).contains(&at);
        let verdict = counts.row(at, (!gone).then_some(count));
        assert!(verdict.score < THRESHOLD, "{at}: {verdict:?}");
    }
}

#[test]
fn a_row_depends_on_the_rows_before_it_alone_and_not_on_the_week_of_the_year() {
    let run = |rows: &[(i64, f64)], shift: i64| {
        let mut counts = Counts::new();
        rows.iter().map(|(at, count)| counts.row(at + shift, Some(*count)).score).collect::<Vec<_>>()
    };
    let mut rows = hall(35, 1_800);
    rows.iter_mut().skip(1_500).step_by(61).for_each(|(_, count)| *count *= 3.0);
    let whole = run(&rows, 0);
    assert_eq!(run(&rows[..1_600], 0), whole[..1_600]);
    assert_eq!(run(&rows, 53 * 7 * DAY), whole);
    assert!(whole.iter().any(|score| *score > 0.1));
}

#[test]
fn state_survives_its_text_in_the_middle_of_a_series() {
    let (mut straight, mut restored) = (Counts::new(), Counts::with_step(1_800));
    straight.step = Some(1_800);
    for (row, (at, count)) in hall(70, 1_800).into_iter().enumerate() {
        let count = if row % 517 == 0 { count + 70.0 } else { count };
        if row % 400 == 13 {
            let text = serde_json::to_string(&restored).unwrap();
            assert!(text.len() < 24_000, "{}", text.len());
            restored = serde_json::from_str(&text).unwrap();
        }
        assert_eq!(straight.row(at, Some(count)).score, restored.row(at, Some(count)).score, "row {row}");
    }
}

#[test]
fn a_new_level_is_told_for_some_days_and_is_then_the_usual() {
    for step in [1_800, 3_600] {
        for factor in [2.0, 0.5] {
            let change = (4 + 42) * DAY; // a Monday
            let mut rows = hall(84, step);
            rows.iter_mut().filter(|(at, _)| *at >= change).for_each(|(_, count)| *count = (*count * factor).round());
            let mut days: Vec<i64> = alerts(&rows).iter().map(|why| (why.from - change).div_euclid(DAY)).collect();
            days.dedup();
            assert!(days.first().is_some_and(|day| *day == 0), "rows of {step} seconds, {factor}: {days:?}");
            assert!(days.len() <= 7 && days.iter().all(|day| *day < 14), "rows of {step} seconds, {factor}: {days:?}");
        }
    }
}
