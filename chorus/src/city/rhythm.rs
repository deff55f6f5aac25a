//! The rhythm of a day: how much happens at which hour.

use chorus_model::Timestamp;
use jiff::civil::Time;

/// China has had one zone without daylight saving since 1991.
pub(super) const CHINA: jiff::tz::Offset = jiff::tz::offset(8);

const DAY: f64 = 86_400.0;

/// How the hour of the day follows from the instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    /// The seconds of the day that the first instant stands for; absent for the wall clock of Nanchang.
    start_of_day: Option<f64>,
    /// How many seconds of the day pass in one second.
    speed: f64,
}

/// What happens in a second on average, over the whole city at a load of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// Passages of school doors.
    pub(super) school: f64,
    /// Passages of hospital doors.
    pub(super) hospital: f64,
    /// Passages of village gates on foot.
    pub(super) gate: f64,
    /// Passages of village gates by car.
    pub(super) gate_vehicle: f64,
    /// Cars that street cameras see.
    pub(super) vehicle: f64,
    /// Persons and bicycles that street cameras see.
    pub(super) person: f64,
    /// Motion in the pictures of street cameras.
    pub(super) motion: f64,
    /// Check-ins of patrols.
    pub(super) patrol: f64,
    /// Small reports of grid workers.
    pub(super) report: f64,
    /// Alarm systems that are armed or disarmed.
    pub(super) arming: f64,
    /// Cards that are refused, each another one at another door.
    pub(super) denied: f64,
}

impl Rhythm {
    /// The hours as they are in Nanchang.
    pub(super) const fn wall_clock() -> Self {
        Self { start_of_day: None, speed: 1.0 }
    }

    /// A day that begins at a given hour and passes at a given speed.
    pub(super) fn from(start_of_day: Time, speed: f64) -> Self {
        let seconds = start_of_day.duration_since(Time::midnight()).as_secs_f64();
        Self { start_of_day: Some(seconds), speed }
    }

    /// The hour of the day, with its fraction, at an instant of a city that started at `start`.
    #[allow(clippy::cast_precision_loss)] // days, not ages
    pub(super) fn hour(&self, start: Timestamp, at: Timestamp) -> f64 {
        let seconds = match self.start_of_day {
            Some(first) => first + at.since(start).as_secs_f64() * self.speed,
            None => at.as_micros() as f64 / 1e6 + f64::from(CHINA.seconds()),
        };
        seconds.rem_euclid(DAY) / 3_600.0
    }
}

impl Rates {
    /// What happens at an hour of a working day.
    pub(super) fn at(hour: f64) -> Self {
        let awake = awake(hour);
        let rush = bell(hour, 7.8, 0.7) + bell(hour, 18.0, 1.0);
        let armed = bell(hour, 6.8, 0.3) + bell(hour, 20.0, 0.5);
        Self {
            school: 40.0 * (bell(hour, 7.5, 0.25) + bell(hour, 16.5, 0.25)) + 0.5 * day(hour),
            hospital: 8.0 * bell(hour, 9.0, 1.5) + 4.0 * bell(hour, 14.5, 1.5) + 0.4,
            gate: 24.0 * rush + 6.0 * awake + 0.3,
            gate_vehicle: 14.0 * rush + 3.0 * awake + 0.1,
            vehicle: 26.0 * rush + 14.0 * awake + 1.0,
            person: 10.0 * rush + 6.0 * awake + 0.2,
            motion: 1.5 * awake + 0.1,
            patrol: 0.8 * awake + 0.05,
            report: 0.02 * day(hour),
            arming: 0.1 * armed,
            denied: 0.1 * awake + 0.01,
        }
    }

    /// The same day with more or less traffic.
    pub(super) fn times(self, load: f64) -> Self {
        Self {
            school: self.school * load,
            hospital: self.hospital * load,
            gate: self.gate * load,
            gate_vehicle: self.gate_vehicle * load,
            vehicle: self.vehicle * load,
            person: self.person * load,
            motion: self.motion * load,
            patrol: self.patrol * load,
            // What people look at does not multiply with the traffic.
            report: self.report,
            arming: self.arming,
            denied: self.denied,
        }
    }
}

/// 1 at the hour itself, falling off within `width` hours, around the clock.
fn bell(hour: f64, centre: f64, width: f64) -> f64 {
    let distance = (hour - centre).abs();
    let distance = distance.min(24.0 - distance) / width;
    (-0.5 * distance * distance).exp()
}

/// Near 1 while the city is awake, near 0 at four in the morning.
fn awake(hour: f64) -> f64 {
    1.0 - bell(hour, 3.0, 2.2)
}

/// Near 1 in working hours.
fn day(hour: f64) -> f64 {
    bell(hour, 12.5, 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schools_fill_at_half_past_seven_and_nights_are_quiet() {
        let (morning, noon, night) = (Rates::at(7.5), Rates::at(12.0), Rates::at(3.0));
        assert!(morning.school > 30.0 && morning.school > 10.0 * noon.school);
        assert!(Rates::at(16.5).school > 30.0);
        assert!(night.gate < 0.05 * morning.gate && night.vehicle < 0.1 * morning.vehicle);
        assert!(night.hospital > 0.0);
    }

    #[test]
    fn the_day_follows_the_wall_clock_or_the_hour_that_was_asked_for() {
        let start: Timestamp = "2026-11-24T23:30:00Z".parse().unwrap();
        let later = start.plus(chorus_model::Span::from_secs(60));
        assert!((Rhythm::wall_clock().hour(start, start) - 7.5).abs() < 1e-9);
        let fast = Rhythm::from(Time::constant(23, 0, 0, 0), 120.0);
        assert!((fast.hour(start, start) - 23.0).abs() < 1e-9);
        assert!((fast.hour(start, later) - 1.0).abs() < 1e-9);
    }
}
