//! `ringfence campaigns`

use ringfence_operations::campaigns::{self, Listed};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// One line a campaign.
pub async fn campaigns(common: &Common) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let listed = campaigns::list(&home).await;
    home.store.close().await;
    let listed = listed?;
    if common.json {
        screen::print_json(&listed)?;
    } else if listed.is_empty() {
        screen::print(
            "no campaigns yet; `ringfence apply campaign.toml` or `ringfence run campaign.toml` brings one\n",
        )?;
    } else {
        let missing = listed.iter().filter_map(Listed::missing_line).map(|line| screen::wrapped(&format!("{line}\n")));
        screen::print(&(table(&listed) + &missing.collect::<String>()))?;
    }
    Ok(DONE)
}

/// One line a campaign.
pub(super) fn table(listed: &[Listed]) -> String {
    let mut table = screen::table(&["campaign", "state", "lane", "priority", "contacts", "finished", "begins next"]);
    for row in listed {
        let schedule = row.schedule.as_ref();
        let next = schedule.and_then(|schedule| Some(schedule.next_at?.shown(schedule.zone)));
        table.add_row(vec![
            row.campaign.clone(),
            row.state.to_owned(),
            row.lane.clone(),
            row.priority.to_string(),
            row.contacts.total.to_string(),
            (row.contacts.done + row.contacts.stopped).to_string(),
            next.unwrap_or_default(),
        ]);
    }
    format!("{table}\n")
}
