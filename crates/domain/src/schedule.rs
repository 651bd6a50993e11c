//! The schedule of a campaign: when it begins by itself, and between which days it may dial at
//! all.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use crate::cron::{Cron, CronError};
use crate::words::words;
use crate::zones::CallingZone;
use crate::{Moment, Span, Zone, ZoneSet};

words! {
    /// The work of a scheduled moment.
    ScheduleMode {
        /// New rows of the contact file join the run.
        Add = "add",
        /// A fresh run over everyone begins.
        Restart = "restart",
    }
}

words! {
    /// The treatment of moments that passed while nothing ran.
    Missed {
        /// They are made up for, once.
        Once = "once",
        /// They are let go.
        Skip = "skip",
    }
}

/// The `[schedule]` of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When to take in the contact file, if by itself.
    pub cron: Option<Cron>,
    /// The work of such a moment.
    pub mode: ScheduleMode,
    /// The treatment of missed ones.
    pub missed: Missed,
    /// Nobody is dialled before this local date. When the campaign's timezone is "contact", this
    /// date and the last one are read on each contact's own clock; `cron` and the `{date}` of file
    /// names are read on the lane's clock then.
    pub starts: Option<Date>,
    /// Nobody is dialled after this local date; a contact that waits then is stopped.
    pub ends: Option<Date>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { cron: None, mode: ScheduleMode::Add, missed: Missed::Once, starts: None, ends: None }
    }
}

impl Schedule {
    /// The lateness after which a moment was missed rather than slow.
    pub const LATE: Span = Span::from_minutes(1);

    /// Returns from when and until when contacts in these zones may be dialled; with several zones,
    /// the narrowest.
    pub fn bounds(&self, zones: &ZoneSet) -> (Option<Moment>, Option<Moment>) {
        let starts = self.starts.and_then(|date| zones.zones().iter().map(|zone| zone.midnight(date)).max());
        let after = self.ends.map(|date| date.tomorrow().unwrap_or(Date::MAX));
        let ends = after.and_then(|date| zones.zones().iter().map(|zone| zone.midnight(date)).min());
        (starts, ends)
    }

    /// Returns when the last day is over wherever a contact may be.
    pub fn over_at(&self, zone: CallingZone) -> Option<Moment> {
        let after = self.ends?.tomorrow().unwrap_or(Date::MAX);
        Some(match zone {
            CallingZone::Fixed(zone) => zone.midnight(after),
            CallingZone::Contact => "Etc/GMT+12".parse::<Zone>().expect("the database has it").midnight(after),
        })
    }

    /// Returns the next moment after `at` at which it begins by itself; none when no more come
    /// before the last day is over.
    pub fn next(&self, at: Moment, zone: Zone) -> Option<Moment> {
        let first = self.starts.map_or(at, |date| at.max(zone.midnight(date) - Span::from_secs(1)));
        let next = self.cron.as_ref()?.next(first, zone)?;
        let (_, over) = self.bounds(&ZoneSet::one(zone));
        over.is_none_or(|over| next < over).then_some(next)
    }

    /// Decides at `now` about a moment that is due. Returns whether to begin, and the next moment.
    pub fn at_moment(&self, due: Moment, now: Moment, zone: Zone) -> (bool, Option<Moment>) {
        let missed = now.since(due) > Self::LATE;
        (!missed || self.missed == Missed::Once, self.next(now, zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().expect("a zone")
    }

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    fn weekdays_at_nine() -> Schedule {
        Schedule { cron: Some("0 9 * * MON-FRI".parse().expect("a line")), ..Schedule::default() }
    }

    #[test]
    fn moments_are_read_on_the_campaigns_clocks() {
        let schedule = weekdays_at_nine();
        let friday = moment("2026-11-20T03:30:00Z");
        assert_eq!(schedule.next(friday - Span::from_secs(1), zone("Asia/Kolkata")), Some(friday));
        assert_eq!(schedule.next(friday, zone("Asia/Kolkata")), Some(moment("2026-11-23T03:30:00Z")), "Monday");
        let new_york = schedule.next(moment("2026-10-30T12:00:00Z"), zone("America/New_York"));
        assert_eq!(new_york, Some(moment("2026-10-30T13:00:00Z")), "EDT");
        let after = schedule.next(moment("2026-10-31T12:00:00Z"), zone("America/New_York"));
        assert_eq!(after, Some(moment("2026-11-02T14:00:00Z")), "EST");
    }

    #[test]
    fn the_first_and_last_day_bound_it() {
        let date = |text: &str| Some(crate::date::parse(text).expect("a date"));
        let schedule = Schedule { starts: date("2026-11-23"), ends: date("2026-11-24"), ..weekdays_at_nine() };
        let early = moment("2026-11-01T00:00:00Z");
        assert_eq!(schedule.next(early, zone("Asia/Kolkata")), Some(moment("2026-11-23T03:30:00Z")));
        assert_eq!(
            schedule.next(moment("2026-11-23T03:30:00Z"), zone("Asia/Kolkata")),
            Some(moment("2026-11-24T03:30:00Z"))
        );
        assert_eq!(schedule.next(moment("2026-11-24T03:30:00Z"), zone("Asia/Kolkata")), None);
        let (from, until) = schedule.bounds(&ZoneSet::one(zone("Asia/Kolkata")));
        assert_eq!((from, until), (Some(moment("2026-11-22T18:30:00Z")), Some(moment("2026-11-24T18:30:00Z"))));
        let apart: ZoneSet = "Asia/Kolkata|America/New_York".parse().expect("zones");
        let (from, until) = schedule.bounds(&apart);
        assert_eq!((from, until), (Some(moment("2026-11-23T05:00:00Z")), Some(moment("2026-11-24T18:30:00Z"))));
    }

    #[test]
    fn missed_moments_are_made_up_for_once_or_let_go() {
        let (due, now) = (moment("2026-11-16T03:30:00Z"), moment("2026-11-19T10:00:00Z"));
        let next = Some(moment("2026-11-20T03:30:00Z"));
        assert_eq!(weekdays_at_nine().at_moment(due, now, zone("Asia/Kolkata")), (true, next));
        let skip = Schedule { missed: Missed::Skip, ..weekdays_at_nine() };
        assert_eq!(skip.at_moment(due, now, zone("Asia/Kolkata")), (false, next));
        assert!(skip.at_moment(due, due + Span::from_secs(5), zone("Asia/Kolkata")).0, "slow is not missed");
    }
}
