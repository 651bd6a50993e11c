//! Logins: browsers that people log in, with a code from the command line or with a token.

use ringfence_domain::event::EventKind;
use ringfence_domain::secret::Secret;
use ringfence_domain::token::Token;
use ringfence_domain::{Moment, Scope, Span};
use ringfence_intake::Http;
use ringfence_store::{LoginBy, LoginRow, NewLoginCode, Subject};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

/// A code holds for so long.
const CODE: Span = Span::from_minutes(10);
/// A login ends after this time, however busy.
const LONGEST: Span = Span::from_hours(12);

/// An address that logs one browser in, once.
#[derive(Debug, Serialize)]
pub struct Invitation {
    /// The address.
    pub address: String,
    /// What the login may be used for.
    pub scope: Scope,
    /// It does not hold from then on.
    pub expires_at: Moment,
}

/// A browser that was just logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// What the browser shows from now on.
    pub cookie: Secret,
    /// What is kept of it.
    pub login: LoginRow,
}

/// Makes an address that logs one browser in, once. `who` asked for it.
pub async fn invite(workspace: &Workspace, who: &str, scope: Scope) -> Result<Invitation, Error> {
    let base = base(&workspace.config.http)?;
    let (code, expires_at) = (random()?, workspace.now() + CODE);
    let new = NewLoginCode { digest: code.digest(), name: who.to_owned(), scope, expires_at };
    workspace.store.enter_login_code(new).await?;
    Ok(Invitation { address: format!("{base}/login?code={}", code.reveal()), scope, expires_at })
}

/// Makes such an address for whoever starts an installation: none once anybody was logged in or has
/// a token.
pub async fn first(workspace: &Workspace, who: &str) -> Result<Option<Invitation>, Error> {
    let logged_in = workspace.store.last_event(EventKind::LoginBegun, Subject::All).await?.is_some();
    if logged_in || !workspace.store.tokens().await?.is_empty() {
        return Ok(None);
    }
    invite(workspace, who, Scope::Admin).await.map(Some)
}

/// Where browsers find the dashboard.
fn base(http: &Http) -> Result<String, Error> {
    if let Some(url) = &http.public_url {
        return Ok(url.clone());
    }
    let Some(address) = http.listen else {
        let hint = "name an address in ringfence.toml: [http] listen = \"127.0.0.1:8080\"";
        return Err(Error::input("nothing serves the dashboard", hint));
    };
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Ok(format!("{scheme}://{host}:{}", address.port()))
}

/// Logs a browser in with what a person gave: a code, or a token. None when it does not hold.
pub async fn log_in(workspace: &Workspace, given: &str) -> Result<Option<LoggedIn>, Error> {
    let given = given.trim();
    let by = match (Token::parse(given), Secret::parse(given)) {
        (Some(token), _) => LoginBy::Token(token.digest()),
        (None, Some(code)) => LoginBy::Code(code.digest()),
        (None, None) => return Ok(None),
    };
    let (cookie, now) = (random()?, workspace.now());
    let login = workspace.store.begin_login(by, cookie.digest(), now + LONGEST, now).await?;
    Ok(login.map(|login| LoggedIn { cookie, login }))
}

/// Finds out whose cookie it is; none when it does not hold.
pub async fn whose(workspace: &Workspace, cookie: &str) -> Result<Option<LoginRow>, Error> {
    let Some(cookie) = Secret::parse(cookie) else { return Ok(None) };
    let now = workspace.now();
    let login = workspace.store.login(cookie.digest(), now).await?;
    if let Some(login) = login.as_ref().filter(|login| login.is_to_be_noted(now)) {
        workspace.store.note_login(login.id, now).await?;
    }
    Ok(login)
}

/// Logs a browser out.
pub async fn log_out(workspace: &Workspace, cookie: &str) -> Result<(), Error> {
    if let Some(cookie) = Secret::parse(cookie) {
        workspace.store.end_login(cookie.digest(), workspace.now()).await?;
    }
    Ok(())
}

fn random() -> Result<Secret, Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::work(format!("the system gives no random bits: {error}")))?;
    Ok(Secret::new(random))
}
