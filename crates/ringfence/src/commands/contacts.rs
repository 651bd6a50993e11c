//! `ringfence contacts`

use ringfence_domain::{ContactState, Outcome, Zone};
use ringfence_operations::contacts;
use ringfence_store::ContactFilter;

use crate::common::Common;
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

/// Contacts of the current run.
pub async fn contacts(common: &Common, args: &ContactsArgs) -> Result<u8, Failure> {
    let home = Home::look(common).await?;
    let filter = ContactFilter { state: args.state, outcome: args.outcome, reached: None };
    let done = if common.json { json(&home, args, filter).await } else { table(&home, args, filter).await };
    home.store.close().await;
    done.map(|()| DONE)
}

async fn json(home: &Home, args: &ContactsArgs, filter: ContactFilter) -> Result<(), Failure> {
    let mut list = screen::JsonList::begin(screen::data())?;
    contacts::for_each(home, &args.campaign, filter, args.limit, |contact| list.push(&contact)).await?;
    list.end()
}

async fn table(home: &Home, args: &ContactsArgs, filter: ContactFilter) -> Result<(), Failure> {
    let zone = home.campaign(&args.campaign).await?.rules.own_zone(Zone::utc());
    let (mut table, mut shown) = (screen::table(&["id", "phone", "state", "calls", "last", "due"]), 0);
    let more = contacts::for_each(home, &args.campaign, filter, args.limit, |contact| {
        shown += 1;
        let state = contact.reason.map_or(contact.state.to_string(), |why| format!("stopped: {why}"));
        table.add_row(vec![
            screen::cell(contact.external_id.clone().unwrap_or_else(|| contact.id.to_string())),
            screen::cell(contact.phone),
            screen::cell(state),
            screen::cell(contact.calls),
            screen::cell(contact.last_outcome.map(|outcome| outcome.to_string()).unwrap_or_default()),
            screen::cell(contact.due_at.map(|due_at| due_at.shown(zone)).unwrap_or_default()),
        ]);
        Ok(())
    })
    .await?;
    let end = if more { format!("the first {shown}; --limit shows more\n") } else { String::new() };
    screen::print(&if shown == 0 { "no such contacts\n".to_owned() } else { format!("{table}\n{end}") })
}
