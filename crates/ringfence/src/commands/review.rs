//! `ringfence review`

use ringfence_domain::ContactId;
use ringfence_operations::review;
use ringfence_store::ReviewAnswer;

use crate::common::Common;
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

/// Lists contacts in review, or settles them.
pub async fn review(common: &Common, args: &ReviewArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = args.campaign.as_deref();
    let done = match &args.action {
        None | Some(ReviewAction::List) => list(common, &home, campaign).await,
        Some(ReviewAction::Settle(args)) => settle(common, &home, campaign, args).await,
    };
    home.store.close().await;
    done.map(|()| DONE)
}

async fn list(common: &Common, home: &Home, campaign: Option<&str>) -> Result<(), Failure> {
    let rows = review::list(home, campaign).await?;
    if common.json {
        return screen::print_json(&rows);
    }
    if rows.is_empty() {
        return screen::print("nobody is in review\n");
    }
    let mut table = screen::table(&["contact", "campaign", "phone", "sent", "what is known"]);
    for row in rows {
        table.add_row(vec![
            screen::cell(row.contact),
            screen::cell(row.campaign.unwrap_or_default()),
            screen::cell(row.phone),
            screen::cell(row.sent_at.map(|at| at.shown(row.zone)).unwrap_or_default()),
            screen::cell(row.cause),
        ]);
    }
    screen::print(&format!(
        "{table}\nlook the calls up at your provider, then: ringfence review settle CONTACT… placed|not-placed\n"
    ))
}

async fn settle(common: &Common, home: &Home, campaign: Option<&str>, args: &SettleArgs) -> Result<(), Failure> {
    let (verdict, next) = match args.verdict {
        Word::Placed => (ReviewAnswer::Placed, "finished"),
        Word::NotPlaced => (ReviewAnswer::NotPlaced, "waiting to be dialled again"),
    };
    let one = |chosen: &Chosen| if let Chosen::One(id) = chosen { Some(*id) } else { None };
    let chosen = if args.contacts.contains(&Chosen::All) {
        review::Chosen::All
    } else {
        review::Chosen::These(args.contacts.iter().filter_map(one).collect())
    };
    let done = review::settle(home, campaign, chosen, verdict).await?;
    if common.json {
        return screen::print_json(&done);
    }
    screen::print(&format!("{} settled: {next}\n", done.settled))
}
