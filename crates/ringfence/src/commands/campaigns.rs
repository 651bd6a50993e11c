//! `ringfence campaigns`

use ringfence_operations::campaigns::{self, Listed};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// One line a campaign.
pub async fn campaigns(common: &Common) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
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
        screen::print(&table(&listed))?;
    }
    Ok(DONE)
}

fn table(listed: &[Listed]) -> String {
    let mut table = screen::table(&["campaign", "state", "lane", "priority", "contacts", "finished", "begins next"]);
    for row in listed {
        let schedule = row.schedule.as_ref();
        let next = schedule.and_then(|schedule| Some(schedule.next_at?.local(schedule.zone)));
        table.add_row(vec![
            row.campaign.clone(),
            row.state.to_owned(),
            row.lane.clone(),
            row.priority.to_string(),
            row.contacts.total.to_string(),
            (row.contacts.done + row.contacts.stopped).to_string(),
            next.map(|next| next.strftime("%a %d %b %H:%M %Z").to_string()).unwrap_or_default(),
        ]);
    }
    format!("{table}\n")
}
