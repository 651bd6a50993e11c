//! `[schedule]`: when a campaign begins by itself, and its first and last day.

use ringfence_domain::Moment;
use ringfence_domain::schedule::{Cron, CronError, Missed, Schedule, ScheduleMode};

use super::when;
use crate::Mistake;
use crate::section::{Explain, Section};

impl Explain for CronError {
    fn explain(&self) -> (Option<String>, Option<std::ops::Range<usize>>) {
        let hint = "write minute, hour, day of the month, month, day of the week: 0 9 * * MON-FRI";
        (Some(hint.to_owned()), None)
    }
}

pub(super) fn schedule(mut section: Section<'_>, now: Moment) -> Schedule {
    let default = Schedule::default();
    let cron = section.parsed::<Cron>("cron");
    let schedule = Schedule {
        cron,
        mode: section.parsed::<ScheduleMode>("mode").unwrap_or(default.mode),
        missed: section.parsed::<Missed>("missed").unwrap_or(default.missed),
        starts: when::day(&mut section, "starts"),
        ends: when::day(&mut section, "ends"),
    };
    let at = section.at();
    if let (Some(starts), Some(ends)) = (schedule.starts, schedule.ends)
        && ends < starts
    {
        let mistake = Mistake::new(at.clone(), format!("it ends on {ends}, before it starts on {starts}"));
        section.found().add(mistake.hint("both days belong to it; write ends = the last day"));
    }
    if let Some(cron) = &schedule.cron
        && schedule.ends.is_some_and(|ends| ends >= now.utc_date())
        && schedule.next(now, ringfence_domain::Zone::utc()).is_none()
    {
        let mistake = Mistake::new(at, format!("`{cron}` never comes between the first and the last day"));
        section.found().add(mistake.hint("widen starts and ends, or change cron"));
    }
    section.finish();
    schedule
}
