//! Tokens: who may ask over HTTP, and for what.

use ringfence_domain::token::Token;
use ringfence_domain::{Moment, Scope, Span, TokenId};
use ringfence_store::{NewToken, TokenRow};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

/// The longest name of a token.
const LONGEST_NAME: usize = 100;

/// A token, as people see it afterwards.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ListedToken {
    /// Its id.
    pub id: TokenId,
    /// What people know it by.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// Its first letters.
    pub begins: String,
    /// Whether it may be used now.
    pub holds: bool,
    /// When it was made.
    pub created_at: Moment,
    /// The person, or the token, that made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<Moment>,
    /// Since when it does not hold.
    pub revoked_at: Option<Moment>,
}

impl ListedToken {
    fn at(row: TokenRow, now: Moment) -> Self {
        let holds = row.holds(now);
        let TokenRow { id, name, scope, shown, created_at, created_by, expires_at, revoked_at } = row;
        Self { id, name, scope, begins: shown, holds, created_at, created_by, expires_at, revoked_at }
    }
}

/// A token that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CreatedToken {
    /// The token itself. It is shown this once.
    pub token: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub listed: ListedToken,
}

/// Makes a token. `lasts`: it ends by itself after that time.
pub async fn create(
    workspace: &Workspace,
    name: &str,
    scope: Scope,
    lasts: Option<Span>,
    created_by: &str,
) -> Result<CreatedToken, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let hint = format!("say in 1 to {LONGEST_NAME} letters who uses it, as in `crm`");
        return Err(Error::input("a token needs a name", hint));
    }
    if lasts == Some(Span::ZERO) {
        return Err(Error::input("the token would end at once", "let it last: 90d"));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::work(format!("the system gives no random bits: {error}")))?;
    let token = Token::new(scope, random);
    let now = workspace.now();
    let new = NewToken {
        name: name.to_owned(),
        scope,
        digest: token.digest(),
        shown: token.shown().to_owned(),
        expires_at: lasts.map(|lasts| now + lasts),
        created_by: created_by.to_owned(),
    };
    let row = workspace.store.create_token(new, now).await?;
    Ok(CreatedToken { token: token.reveal().to_owned(), listed: ListedToken::at(row, now) })
}

/// Returns all tokens, oldest first.
pub async fn list(workspace: &Workspace) -> Result<Vec<ListedToken>, Error> {
    let now = workspace.now();
    Ok(workspace.store.tokens().await?.into_iter().map(|row| ListedToken::at(row, now)).collect())
}

/// Revokes a token: it does not hold from the next request on.
pub async fn revoke(workspace: &Workspace, id: TokenId) -> Result<ListedToken, Error> {
    let now = workspace.now();
    let row = workspace.store.revoke_token(id, now).await?;
    let row =
        row.ok_or_else(|| Error::missing(format!("there is no token {id}"), "`ringfence token list` lists them"))?;
    Ok(ListedToken::at(row, now))
}
