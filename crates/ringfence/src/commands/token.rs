//! `ringfence token`

use clap::ValueEnum;
use ringfence_domain::{Scope, Span, TokenId, Zone};
use ringfence_operations::tokens::{self, ListedToken};
use ringfence_operations::workspace;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `token`
#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    /// What to do
    #[command(subcommand)]
    pub action: TokenAction,
}

/// What to do with tokens.
#[derive(Debug, clap::Subcommand)]
pub enum TokenAction {
    /// Make a token for requests over HTTP; it is shown this once
    Create(CreateArgs),
    /// List the tokens; none is shown whole
    List,
    /// Revoke a token: it does not hold from the next request on
    Revoke {
        /// Its id, as in `token list`
        id: i64,
    },
}

/// `token create`
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// What it may be used for: a viewer looks, an operator runs campaigns, an admin decides who
    /// may
    #[arg(long, value_enum, hide_possible_values = true, value_name = "viewer|operator|admin")]
    pub scope: ScopeName,
    /// Who uses it, as in crm; without it you
    #[arg(long)]
    pub name: Option<String>,
    /// How long it holds, as in 90d; without it until it is revoked
    #[arg(long, value_name = "TIME")]
    pub expires: Option<Span>,
}

/// A scope, as people type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScopeName {
    /// To look, at masked numbers
    Viewer,
    /// To run campaigns
    Operator,
    /// To decide who else may
    Admin,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Viewer => Self::Viewer,
            ScopeName::Operator => Self::Operator,
            ScopeName::Admin => Self::Admin,
        }
    }
}

/// Makes, lists or revokes tokens.
pub async fn token(common: &Common, args: &TokenArgs) -> Result<u8, Failure> {
    let home = match &args.action {
        TokenAction::Create(_) => Home::enter_or_make(common).await?,
        TokenAction::List => Home::look(common).await?,
        TokenAction::Revoke { .. } => Home::enter(common).await?,
    };
    let done = carry_out(common, &home, &args.action).await;
    home.store.close().await;
    done
}

async fn carry_out(common: &Common, home: &Home, action: &TokenAction) -> Result<u8, Failure> {
    match action {
        TokenAction::Create(args) => {
            let person = workspace::person();
            let name = args.name.as_deref().unwrap_or(&person);
            let created = tokens::create(home, name, args.scope.into(), args.expires, &person).await?;
            if common.json {
                screen::print_json(&created)?;
            } else {
                // The token alone, so that a script can take it.
                screen::print(&format!("{}\n", created.token))?;
                let listed = &created.listed;
                let end = listed
                    .expires_at
                    .map_or("until it is revoked".to_owned(), |end| format!("until {}", end.shown(Zone::utc())));
                crate::stderr::eprint_line(&format!(
                    "token {} of scope {} holds {end}; it is shown this once",
                    listed.id, listed.scope
                ));
            }
        }
        TokenAction::List => {
            let listed = tokens::list(home).await?;
            if common.json {
                screen::print_json(&listed)?;
            } else {
                screen::print(&table(&listed))?;
            }
        }
        TokenAction::Revoke { id } => {
            let revoked = tokens::revoke(home, TokenId(*id)).await?;
            if common.json {
                screen::print_json(&revoked)?;
            } else {
                screen::print(&format!("token {id}, {}, does not hold any more\n", revoked.name))?;
            }
        }
    }
    Ok(DONE)
}

fn table(tokens: &[ListedToken]) -> String {
    if tokens.is_empty() {
        return "there is no token yet; `ringfence token create --scope operator` makes one\n".to_owned();
    }
    let mut table = screen::table(&["id", "name", "scope", "begins", "made", "holds"]);
    for token in tokens {
        let end = match (token.revoked_at, token.expires_at) {
            (Some(at), _) => format!("no, revoked {}", at.shown(Zone::utc())),
            (None, Some(end)) if token.holds => format!("until {}", end.shown(Zone::utc())),
            (None, Some(end)) => format!("no, since {}", end.shown(Zone::utc())),
            (None, None) => "yes".to_owned(),
        };
        let made = format!("{} by {}", token.created_at.shown(Zone::utc()), token.created_by);
        table.add_row([
            token.id.to_string(),
            token.name.clone(),
            token.scope.to_string(),
            format!("{}…", token.begins),
            made,
            end,
        ]);
    }
    format!("{table}\n")
}
