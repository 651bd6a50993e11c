//! Tokens: who may ask over HTTP, and for what. A token itself is kept nowhere, only its digest.

use ringfence_domain::event::EventKind;
use ringfence_domain::{Moment, Scope, TokenId};

use crate::StoreError;
use crate::events::{Subject, tell};
use crate::session::{Row, Session, Sql, args, sql};

/// A token that is to be entered.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people know it by.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// SHA-256 of it, in hex.
    pub digest: String,
    /// Its first letters, for people.
    pub shown: String,
    /// When it ends by itself.
    pub expires_at: Option<Moment>,
    /// Who makes it.
    pub created_by: String,
}

/// A token, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// What people know it by.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// Its first letters.
    pub shown: String,
    /// When it was made.
    pub created_at: Moment,
    /// The person, or the token, that made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<Moment>,
    /// Since when it does not hold.
    pub revoked_at: Option<Moment>,
}

impl TokenRow {
    /// Tells whether it may be used at a moment.
    pub fn holds(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

pub(crate) async fn create(session: &mut Session, token: &NewToken, now: Moment) -> Result<TokenRow, StoreError> {
    const CREATE: Sql = sql!(
        "INSERT INTO tokens (name, scope, digest, shown, created_at, created_by, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         RETURNING id, name, scope, shown, created_at, created_by, expires_at, revoked_at"
    );
    let NewToken { name, scope, digest, shown, expires_at, created_by } = token.clone();
    let arguments = args![name, scope.as_str(), digest, shown, now, created_by, expires_at];
    let row = row(&session.one(&CREATE, arguments).await?)?;
    tell(EventKind::TokenCreated, Subject::All, Some(&described(&row)), now);
    Ok(row)
}

pub(crate) async fn revoke(session: &mut Session, id: TokenId, now: Moment) -> Result<Option<TokenRow>, StoreError> {
    const FIND: Sql =
        sql!("SELECT id, name, scope, shown, created_at, created_by, expires_at, revoked_at FROM tokens WHERE id = $1");
    const REVOKE: Sql = sql!("UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL");
    let Some(found) = session.row(&FIND, args![id]).await? else { return Ok(None) };
    let mut token = row(&found)?;
    if session.run(&REVOKE, args![id, now]).await? > 0 {
        token.revoked_at = Some(now);
        tell(EventKind::TokenRevoked, Subject::All, Some(&described(&token)), now);
    }
    Ok(Some(token))
}

fn described(token: &TokenRow) -> String {
    format!("token {}, {}, {}, {}…", token.id, token.name, token.scope, token.shown)
}

pub(crate) async fn find(session: &mut Session, digest: &str) -> Result<Option<TokenRow>, StoreError> {
    const FIND: Sql = sql!(
        "SELECT id, name, scope, shown, created_at, created_by, expires_at, revoked_at FROM tokens WHERE digest = $1"
    );
    session.row(&FIND, args![digest]).await?.as_ref().map(row).transpose()
}

pub(crate) async fn list(session: &mut Session) -> Result<Vec<TokenRow>, StoreError> {
    const LIST: Sql =
        sql!("SELECT id, name, scope, shown, created_at, created_by, expires_at, revoked_at FROM tokens ORDER BY id");
    session.rows(&LIST, args![]).await?.iter().map(row).collect()
}

fn row(row: &Row) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: TokenId(row.get("id")?),
        name: row.get("name")?,
        scope: row.word("tokens", "scope")?,
        shown: row.get("shown")?,
        created_at: row.moment("created_at")?,
        created_by: row.get("created_by")?,
        expires_at: row.moment_or_none("expires_at")?,
        revoked_at: row.moment_or_none("revoked_at")?,
    })
}
