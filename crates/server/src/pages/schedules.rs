//! Which campaigns begin by themselves, and when.

use askama::Template;
use ringfence_operations::campaigns::{self, Listed};

use super::campaigns::part;
use super::frame::{Frame, moment};
use super::visitor::Visitor;
use super::{Page, shown};

#[derive(Template)]
#[template(path = "pages/schedules.html")]
struct SchedulesPage {
    frame: Frame,
    schedules: Vec<ScheduleLine>,
}

struct ScheduleLine {
    campaign: String,
    path: String,
    cron: String,
    timezone: String,
    next: String,
    last: String,
    result: String,
    failed: bool,
}

/// Shows them.
pub(crate) async fn schedules(visitor: Visitor) -> Page {
    let frame = Frame::of(&visitor, "Schedules", "/schedules").await?.live();
    let rows = campaigns::list(&visitor.workspace).await?;
    let schedules = rows.iter().filter_map(|row| line(&visitor, row)).collect();
    Ok(shown(&SchedulesPage { frame, schedules }))
}

fn line(visitor: &Visitor, row: &Listed) -> Option<ScheduleLine> {
    let schedule = row.schedule.as_ref()?;
    let at = |at: Option<ringfence_domain::Moment>| at.map(|at| moment(at, schedule.zone)).unwrap_or_default();
    Some(ScheduleLine {
        campaign: row.campaign.clone(),
        path: part(&row.campaign),
        cron: schedule.cron.clone().unwrap_or_default(),
        timezone: schedule.timezone.clone(),
        next: at(schedule.next_at),
        last: at(schedule.last_at),
        result: visitor.seen(schedule.last_result.as_deref().unwrap_or_default()),
        failed: schedule.last_failed,
    })
}
