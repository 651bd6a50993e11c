//! Logging in and out.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use ringfence_operations::logins;
use ringfence_store::Actor;
use serde::Deserialize;

use super::visitor::{cookie_name, is_secure};
use super::{Page, PageError, shown, to};
use crate::Server;
use crate::front::peer::Peer;

#[derive(Template)]
#[template(path = "pages/login.html")]
struct LoginPage<'p> {
    code: &'p str,
    to: &'p str,
    wrong: bool,
}

/// What an address of the page may say.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct LoginQuery {
    #[serde(default)]
    code: String,
    #[serde(default)]
    to: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    secret: String,
    #[serde(default)]
    to: String,
}

/// Shows the form. A code in the address is sent by a press of the button: a program that only
/// looks at addresses does not use it up.
pub(crate) async fn form(Query(query): Query<LoginQuery>) -> Response {
    shown(&LoginPage { code: &query.code, to: local(&query.to), wrong: false })
}

/// Logs a browser in. A code or token that is wrong, over or used gets one and the same answer.
pub(crate) async fn log_in(
    State(server): State<Server>,
    Extension(peer): Extension<Peer>,
    jar: CookieJar,
    Form(form): Form<LoginForm>,
) -> Page {
    let workspace = server.workspace(Actor::person("a browser", peer.address.to_string()));
    if let Some(logged_in) = logins::log_in(&workspace, &form.secret).await? {
        let mut cookie = Cookie::new(cookie_name(&server), logged_in.cookie.reveal().to_owned());
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Strict);
        cookie.set_secure(is_secure(&server));
        return Ok((jar.add(cookie), to(local(&form.to))).into_response());
    }
    if server.limits.wrong(peer).is_err() {
        let says = "too many wrong codes came from you: wait a minute";
        return Err(PageError::new(StatusCode::TOO_MANY_REQUESTS, says));
    }
    let mut response = shown(&LoginPage { code: "", to: local(&form.to), wrong: true });
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    Ok(response)
}

/// Logs a browser out.
pub(crate) async fn log_out(State(server): State<Server>, Extension(peer): Extension<Peer>, jar: CookieJar) -> Page {
    let name = cookie_name(&server);
    if let Some(cookie) = jar.get(name) {
        let workspace = server.workspace(Actor::person("a browser", peer.address.to_string()));
        logins::log_out(&workspace, cookie.value()).await?;
    }
    let mut gone = Cookie::new(name, "");
    gone.set_path("/");
    gone.set_secure(is_secure(&server));
    Ok((jar.remove(gone), to("/login")).into_response())
}

/// An address of this server, and of no other.
fn local(path: &str) -> &str {
    let is_ours =
        path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.chars().any(char::is_control);
    if is_ours { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_this_server_only() {
        for path in ["/", "/campaigns/spring?state=done"] {
            assert_eq!(local(path), path);
        }
        for strange in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/\nset-cookie: x", "javascript:1"]
        {
            assert_eq!(local(strange), "/", "{strange}");
        }
    }
}
