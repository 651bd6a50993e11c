//! `ringfence review`

use comfy_table::Cell;
use ringfence_domain::ContactId;
use ringfence_store::{ReviewRow, Verdict};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `review`
#[derive(Debug, clap::Args)]
pub struct ReviewArgs {
    /// Only this campaign's
    #[arg(long, global = true)]
    pub campaign: Option<String>,
    /// What to do [default: list]
    #[command(subcommand)]
    pub action: Option<ReviewAction>,
}

/// What to do with calls of unknown fate.
#[derive(Debug, clap::Subcommand)]
pub enum ReviewAction {
    /// List the contacts that wait for a word
    List,
    /// Say what became of them
    Settle(SettleArgs),
}

/// `review settle`
#[derive(Debug, clap::Args)]
pub struct SettleArgs {
    /// Contacts, by the numbers of the list, or all
    #[arg(required = true, value_name = "CONTACT")]
    pub contacts: Vec<Chosen>,
    /// Whether they were called
    #[arg(value_enum, required = true, value_name = "WORD")]
    pub verdict: Word,
}

/// One contact, or all that the list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// Every one.
    All,
    /// This one.
    One(ContactId),
}

impl std::str::FromStr for Chosen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(|id| Self::One(ContactId(id))).map_err(|_| "write the contact's number, or all".to_owned())
    }
}

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Word {
    /// They were called: they are finished
    Placed,
    /// They were not: they may be dialled again
    NotPlaced,
}

const PAGE: u32 = 1_000;

/// Lists contacts in review, or settles them.
pub(super) async fn review(common: &Common, args: &ReviewArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let rows = rows(&home, args.campaign.as_deref()).await?;
    let done = match &args.action {
        None | Some(ReviewAction::List) => list(common, &home, &rows).await,
        Some(ReviewAction::Settle(args)) => settle(common, &home, args, &rows).await,
    };
    home.store.close().await;
    done
}

async fn rows(home: &Home, campaign: Option<&str>) -> Result<Vec<ReviewRow>, Failure> {
    let campaign = match campaign {
        Some(name) => Some(home.campaign(name).await?.id),
        None => None,
    };
    let mut rows: Vec<ReviewRow> = Vec::new();
    loop {
        let after = rows.last().map_or(ContactId(0), |row| row.contact);
        let page = home.store.reviews(campaign, after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

async fn list(common: &Common, home: &Home, rows: &[ReviewRow]) -> Result<u8, Failure> {
    let mut table = screen::table(&["contact", "campaign", "phone", "sent", "what is known"]);
    let mut values = Vec::new();
    let campaigns = home.store.campaigns().await?;
    for row in rows {
        let campaign = campaigns.iter().find(|campaign| campaign.id == row.campaign);
        let name = campaign.map(|known| known.rules.name.as_str());
        let zone =
            campaign.map_or(ringfence_domain::Zone::utc(), |known| known.rules.own_zone(ringfence_domain::Zone::utc()));
        let cause = row.cause.clone().unwrap_or_else(|| "no outcome was ever learned".to_owned());
        table.add_row(vec![
            Cell::new(row.contact),
            Cell::new(name.unwrap_or_default()),
            Cell::new(row.number.e164()),
            Cell::new(row.sending_at.map(|at| screen::moment(at, zone)).unwrap_or_default()),
            Cell::new(&cause),
        ]);
        values.push(json!({
            "contact": row.contact, "campaign": name, "phone": row.number.e164(), "attempt": row.attempt,
            "attempt_state": row.attempt_state, "sent_at": row.sending_at, "cause": cause,
        }));
    }
    if common.json {
        screen::print_json(&values)?;
    } else if rows.is_empty() {
        screen::print("nobody is in review\n")?;
    } else {
        screen::print(&format!(
            "{table}\nlook the calls up at your provider, then: ringfence review settle CONTACT… placed|not-placed\n"
        ))?;
    }
    Ok(DONE)
}

async fn settle(common: &Common, home: &Home, args: &SettleArgs, rows: &[ReviewRow]) -> Result<u8, Failure> {
    let verdict = match args.verdict {
        Word::Placed => Verdict::Placed,
        Word::NotPlaced => Verdict::NotPlaced,
    };
    let wanted: Vec<ContactId> = if args.contacts.contains(&Chosen::All) {
        rows.iter().map(|row| row.contact).collect()
    } else {
        args.contacts.iter().filter_map(|chosen| if let Chosen::One(id) = chosen { Some(*id) } else { None }).collect()
    };
    if let Some(unknown) = wanted.iter().find(|id| !rows.iter().any(|row| row.contact == **id)) {
        return Err(Failure::input(
            format!("contact {unknown} is not in review"),
            "`ringfence review` lists those that are",
        ));
    }
    let mut settled = 0;
    for contact in &wanted {
        settled += u64::from(home.store.decide_review(*contact, verdict, home.now()).await?);
    }
    if common.json {
        screen::print_json(
            &json!({ "settled": settled, "as": if verdict == Verdict::Placed { "placed" } else { "not-placed" } }),
        )?;
    } else {
        let next = if verdict == Verdict::Placed { "finished" } else { "waiting to be dialled again" };
        screen::print(&format!("{settled} settled: {next}\n"))?;
    }
    Ok(DONE)
}
