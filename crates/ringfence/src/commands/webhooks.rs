//! `ringfence webhooks`

use ringfence_domain::{MessageState, Zone};
use ringfence_operations::webhooks::{self, ListedMessage, ListedWebhook};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// Messages that are listed.
const SHOWN: u32 = 50;

/// `webhooks`
#[derive(Debug, clap::Args)]
pub struct WebhooksArgs {
    /// What to do; without it the receivers are listed
    #[command(subcommand)]
    pub action: Option<WebhooksAction>,
}

/// What to do with webhooks.
#[derive(Debug, clap::Subcommand)]
pub enum WebhooksAction {
    /// List the newest messages of a receiver
    Messages {
        /// The receiver's id
        id: i64,
        /// Only messages that were given up
        #[arg(long)]
        dead: bool,
    },
    /// Send messages once more: those that are named, or all that were given up
    Redeliver {
        /// The receiver's id
        id: i64,
        /// The ids of messages
        messages: Vec<i64>,
    },
    /// Give a receiver messages again
    Enable {
        /// The receiver's id
        id: i64,
    },
    /// Give a receiver no more messages
    Disable {
        /// The receiver's id
        id: i64,
        /// Why, for the record
        #[arg(long, default_value = "by hand")]
        reason: String,
    },
}

/// Lists who is told what happens, and sends it once more.
pub async fn webhooks(common: &Common, args: &WebhooksArgs) -> Result<u8, Failure> {
    let home = match &args.action {
        None | Some(WebhooksAction::Messages { .. }) => Home::look(common).await?,
        Some(_) => Home::enter(common).await?,
    };
    let done = carry_out(common, &home, args.action.as_ref()).await;
    home.store.close().await;
    done
}

async fn carry_out(common: &Common, home: &Home, action: Option<&WebhooksAction>) -> Result<u8, Failure> {
    match action {
        None => {
            let listed = webhooks::list(home).await?;
            if common.json { screen::print_json(&listed)? } else { screen::print(&table(&listed))? }
        }
        Some(WebhooksAction::Messages { id, dead }) => {
            let state = dead.then_some(MessageState::Dead);
            let listed = webhooks::messages(home, *id, state, None, SHOWN).await?;
            if common.json { screen::print_json(&listed)? } else { screen::print(&messages(&listed))? }
        }
        Some(WebhooksAction::Redeliver { id, messages }) => {
            let these = (!messages.is_empty()).then(|| messages.clone());
            let done = webhooks::redeliver(home, *id, these).await?;
            let text = format!("{} messages are sent once more, where `ringfence serve` runs\n", done.messages);
            if common.json { screen::print_json(&done)? } else { screen::print(&text)? }
        }
        Some(WebhooksAction::Enable { id }) => {
            let row = webhooks::enable(home, *id).await?;
            let text = format!("{} gets messages again\n", row.url);
            if common.json { screen::print_json(&row)? } else { screen::print(&text)? }
        }
        Some(WebhooksAction::Disable { id, reason }) => {
            let row = webhooks::disable(home, *id, reason).await?;
            let text = format!("{} gets no more messages\n", row.url);
            if common.json { screen::print_json(&row)? } else { screen::print(&text)? }
        }
    }
    Ok(DONE)
}

fn table(webhooks: &[ListedWebhook]) -> String {
    if webhooks.is_empty() {
        return "nobody is told anything yet: name a [[webhook]] in ringfence.toml, and run `ringfence serve`\n"
            .to_owned();
    }
    let mut table = screen::table(&["id", "address", "state", "waiting", "given up"]);
    for webhook in webhooks {
        let state = match (&webhook.reason, webhook.failures) {
            (Some(reason), _) => format!("disabled: {reason}"),
            (None, 0) => "fine".to_owned(),
            (None, failures) => format!("{failures} failures in a row"),
        };
        let counts = (webhook.waiting.to_string(), webhook.dead.to_string());
        table.add_row([webhook.id.to_string(), webhook.url.clone(), state, counts.0, counts.1]);
    }
    format!("{table}\n")
}

fn messages(messages: &[ListedMessage]) -> String {
    if messages.is_empty() {
        return "there is none\n".to_owned();
    }
    let mut table = screen::table(&["id", "message", "type", "state", "tries", "at", "answer"]);
    for message in messages {
        table.add_row([
            message.id.to_string(),
            message.message.clone(),
            message.kind.to_string(),
            message.state.to_string(),
            message.tries.to_string(),
            message.at.shown(Zone::utc()),
            message.answer.clone().unwrap_or_default(),
        ]);
    }
    format!("{table}\n")
}
