//! Logins: browsers that somebody logged in, with a token or with a code that is good once. Neither
//! cookies nor codes are kept, only their digests.

use ringfence_domain::event::EventKind;
use ringfence_domain::{LoginId, Moment, Scope, Span, TokenId};

use crate::StoreError;
use crate::events::{Subject, tell};
use crate::session::{Row, Session, Sql, args, sql};

/// A login without a request for so long is over.
pub const IDLE: Span = Span::from_minutes(30);

/// The last request of a login is written down this often.
const SEEN_EVERY: Span = Span::from_minutes(1);

/// A code that is to be entered.
#[derive(Debug, Clone)]
pub struct NewLoginCode {
    /// SHA-256 of it, in hex.
    pub digest: String,
    /// Who asked for it.
    pub name: String,
    /// What the login may be used for.
    pub scope: Scope,
    /// It does not hold from then on.
    pub expires_at: Moment,
}

/// With what somebody logs in.
#[derive(Debug, Clone)]
pub enum LoginBy {
    /// A token, by its digest.
    Token(String),
    /// A code, by its digest. It does not hold a second time.
    Code(String),
}

/// A login, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRow {
    /// Its id.
    pub id: LoginId,
    /// Of the token, or who asked for the code.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// It ends with this token.
    pub token: Option<TokenId>,
    /// When it began.
    pub begun_at: Moment,
    /// Its last request, to the minute.
    pub seen_at: Moment,
    /// When it ends, however busy.
    pub ends_at: Moment,
}

/// Enters a code.
pub(crate) async fn enter_code(session: &mut Session, code: &NewLoginCode) -> Result<(), StoreError> {
    const ENTER: Sql = sql!("INSERT INTO login_codes (digest, name, scope, expires_at) VALUES ($1, $2, $3, $4)");
    let NewLoginCode { digest, name, scope, expires_at } = code.clone();
    session.run(&ENTER, args![digest, name, scope.as_str(), expires_at]).await?;
    Ok(())
}

/// Begins a login; none when the token or the code does not hold.
pub(crate) async fn begin(
    session: &mut Session,
    by: &LoginBy,
    cookie: &str,
    ends_at: Moment,
    now: Moment,
) -> Result<Option<LoginRow>, StoreError> {
    const TOKEN: Sql = sql!(
        "SELECT id AS token_id, name, scope FROM tokens WHERE digest = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)"
    );
    const CODE: Sql = sql!("DELETE FROM login_codes WHERE digest = $1 RETURNING name, scope, expires_at");
    const BEGIN: Sql = sql!(
        "INSERT INTO logins (digest, name, scope, token_id, begun_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $5, $5, $6) \
         RETURNING id, name, scope, token_id, begun_at, seen_at, ends_at"
    );
    let (found, token) = match by {
        LoginBy::Token(digest) => {
            let found = session.row(&TOKEN, args![digest.as_str(), now]).await?;
            let token = found.as_ref().map(|row| row.get::<i64>("token_id")).transpose()?;
            (found, token)
        }
        LoginBy::Code(digest) => {
            let found = session.row(&CODE, args![digest.as_str()]).await?;
            let holds = found.as_ref().map(|row| row.moment("expires_at")).transpose()?.is_some_and(|end| now < end);
            (found.filter(|_| holds), None)
        }
    };
    let Some(found) = found else { return Ok(None) };
    let (name, scope): (String, Scope) = (found.get("name")?, found.word("logins", "scope")?);
    let arguments = args![cookie, name, scope.as_str(), token, now, ends_at];
    let login = row(&session.one(&BEGIN, arguments).await?)?;
    tell(EventKind::LoginBegun, Subject::All, Some(&format!("{}, {}", login.name, login.scope)), now);
    Ok(Some(login))
}

/// The login of this cookie, if it holds.
pub(crate) async fn find(session: &mut Session, cookie: &str, now: Moment) -> Result<Option<LoginRow>, StoreError> {
    const FIND: Sql = sql!(
        "SELECT l.id, l.name, l.scope, l.token_id, l.begun_at, l.seen_at, l.ends_at FROM logins l \
         LEFT JOIN tokens t ON t.id = l.token_id WHERE l.digest = $1 AND l.ends_at > $2 AND l.seen_at > $3 \
         AND (l.token_id IS NULL OR (t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)))"
    );
    session.row(&FIND, args![cookie, now, now - IDLE]).await?.as_ref().map(row).transpose()
}

/// Notes that a login made a request, unless that was noted a moment ago.
pub(crate) async fn seen(session: &mut Session, id: LoginId, now: Moment) -> Result<(), StoreError> {
    const SEEN: Sql = sql!("UPDATE logins SET seen_at = $2 WHERE id = $1 AND seen_at < $2");
    session.run(&SEEN, args![id, now]).await?;
    Ok(())
}

/// Ends a login.
pub(crate) async fn end(session: &mut Session, cookie: &str, now: Moment) -> Result<bool, StoreError> {
    const END: Sql = sql!("DELETE FROM logins WHERE digest = $1 RETURNING name");
    let Some(ended) = session.row(&END, args![cookie]).await? else { return Ok(false) };
    let name: String = ended.get("name")?;
    tell(EventKind::LoginEnded, Subject::All, Some(&name), now);
    Ok(true)
}

/// Forgets logins and codes that do not hold any more.
pub(crate) async fn forget(session: &mut Session, now: Moment) -> Result<(), StoreError> {
    const LOGINS: Sql = sql!("DELETE FROM logins WHERE ends_at <= $1 OR seen_at <= $2");
    const CODES: Sql = sql!("DELETE FROM login_codes WHERE expires_at <= $1");
    session.run(&LOGINS, args![now, now - IDLE]).await?;
    session.run(&CODES, args![now]).await?;
    Ok(())
}

impl LoginRow {
    /// Tells whether its last request is to be written down again.
    pub fn is_to_be_noted(&self, now: Moment) -> bool {
        now >= self.seen_at + SEEN_EVERY
    }
}

fn row(row: &Row) -> Result<LoginRow, StoreError> {
    Ok(LoginRow {
        id: LoginId(row.get("id")?),
        name: row.get("name")?,
        scope: row.word("logins", "scope")?,
        token: row.get::<Option<i64>>("token_id")?.map(TokenId),
        begun_at: row.moment("begun_at")?,
        seen_at: row.moment("seen_at")?,
        ends_at: row.moment("ends_at")?,
    })
}
