//! `ringfence campaigns`

use comfy_table::Cell;
use ringfence_operations::summary::{Asker, summarize};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::screen;

/// One line a campaign.
pub(super) async fn campaigns(common: &Common) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let schedules = home.store.schedules().await?;
    let asker = Asker { brake: home::brake(&home.config).pulled(), is_dialling: false };
    let mut rows = Vec::new();
    let mut table = screen::table(&["campaign", "state", "lane", "priority", "contacts", "finished", "begins next"]);
    for campaign in home.store.campaigns().await? {
        let name = &campaign.rules.name;
        let Some(numbers) = home.store.numbers(name.clone(), home.now()).await?.filter(|_| home::is_listed(name))
        else {
            continue;
        };
        let summary = summarize(&numbers, &asker, home.clock.read());
        let schedule = schedules.iter().find(|schedule| schedule.campaign == campaign.id);
        let next = schedule.and_then(|schedule| schedule.next_at);
        let finished = summary.contacts.done + summary.contacts.stopped;
        table.add_row(vec![
            Cell::new(name),
            Cell::new(summary.state),
            Cell::new(&campaign.rules.provider),
            Cell::new(campaign.rules.priority),
            Cell::new(summary.contacts.total),
            Cell::new(finished),
            Cell::new(match (schedule, next) {
                (Some(schedule), Some(next)) => next.local(schedule.zone).strftime("%a %d %b %H:%M %Z").to_string(),
                _ => String::new(),
            }),
        ]);
        rows.push(json!({
            "campaign": name, "state": summary.state, "held_by": summary.held_by, "lane": campaign.rules.provider,
            "priority": campaign.rules.priority, "run": summary.run, "contacts": summary.contacts,
            "schedule": schedule.map(|schedule| json!({
                "cron": campaign.rules.schedule.cron, "timezone": schedule.zone.name(), "next_at": schedule.next_at,
                "last_at": schedule.last_at, "last_result": schedule.last_result,
            })),
        }));
    }
    home.say_unreadable().await?;
    home.store.close().await;
    if common.json {
        screen::print_json(&rows)?;
    } else if rows.is_empty() {
        screen::print(
            "no campaigns yet; `ringfence apply campaign.toml` or `ringfence run campaign.toml` brings one\n",
        )?;
    } else {
        screen::print(&format!("{table}\n"))?;
    }
    Ok(DONE)
}
