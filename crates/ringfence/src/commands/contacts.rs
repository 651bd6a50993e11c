//! `ringfence contacts`

use comfy_table::Cell;
use ringfence_domain::{ContactId, ContactState, Outcome};
use ringfence_store::ContactFilter;
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `contacts`
#[derive(Debug, clap::Args)]
pub struct ContactsArgs {
    /// The campaign
    pub campaign: String,
    /// Only those in this state: waiting, active, done, stopped, review
    #[arg(long)]
    pub state: Option<ContactState>,
    /// Only those whose last call ended so: answered, busy, no_answer, …
    #[arg(long)]
    pub outcome: Option<Outcome>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
}

const PAGE: u32 = 1_000;

/// Contacts of the current run.
pub(super) async fn contacts(common: &Common, args: &ContactsArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = home.campaign(&args.campaign).await?;
    let zone = campaign.rules.own_zone(ringfence_domain::Zone::utc());
    let filter = ContactFilter { state: args.state, outcome: args.outcome, reached: None };
    let mut table = screen::table(&["id", "phone", "state", "calls", "last", "due"]);
    let (mut after, mut shown, mut more) = (ContactId(0), 0, false);
    let out = || std::io::BufWriter::new(std::io::stdout().lock());
    let mut list = common.json.then(|| screen::JsonList::begin(out())).transpose()?;
    'pages: loop {
        let page = home.store.contacts(campaign.run, filter, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for contact in &page {
            if shown == args.limit {
                more = true;
                break 'pages;
            }
            shown += 1;
            let waits = contact.state == ContactState::Waiting;
            if let Some(list) = &mut list {
                let line = json!({
                    "id": contact.id, "external_id": contact.external_id, "phone": contact.number.e164(),
                    "state": contact.state, "reason": contact.stop_reason, "calls": contact.calls,
                    "last_outcome": contact.last_outcome, "due_at": waits.then_some(contact.due_at),
                    "import": contact.import, "row": contact.row_number, "fields": contact.fields,
                });
                list.push(&line)?;
                continue;
            }
            let state = contact.stop_reason.map_or(contact.state.to_string(), |why| format!("stopped: {why}"));
            table.add_row(vec![
                Cell::new(contact.external_id.clone().unwrap_or_else(|| contact.id.to_string())),
                Cell::new(contact.number.e164()),
                Cell::new(state),
                Cell::new(contact.calls),
                Cell::new(contact.last_outcome.map(|outcome| outcome.to_string()).unwrap_or_default()),
                Cell::new(if waits { screen::moment(contact.due_at, zone) } else { String::new() }),
            ]);
        }
    }
    home.store.close().await;
    if let Some(list) = list {
        list.end()?;
    } else {
        let end = if more { format!("the first {shown}; --limit shows more\n") } else { String::new() };
        screen::print(&if shown == 0 { "no such contacts\n".to_owned() } else { format!("{table}\n{end}") })?;
    }
    Ok(DONE)
}
