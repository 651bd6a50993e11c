//! Who looks at a page: a browser that is logged in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use ringfence_domain::Scope;
use ringfence_operations::{Workspace, logins};
use ringfence_store::{Actor, LoginRow};

use super::PageError;
use crate::Server;
use crate::front::peer::Peer;
use crate::masked;

/// A browser that is logged in, with where its work is done, in its name.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) login: LoginRow,
    pub(crate) workspace: Workspace,
    /// The address that was asked for; empty for a form, which is not sent again.
    pub(crate) address: String,
    /// Where the browser is, for the record.
    pub(crate) origin: String,
    cookie: String,
}

impl Visitor {
    /// Its name in the record of changes.
    pub(crate) fn name(&self) -> String {
        match self.login.token {
            Some(token) => format!("token {} ({token}), in a browser", self.login.name),
            None => format!("{}, in a browser", self.login.name),
        }
    }

    /// A text as this visitor sees it: viewers see phone numbers down to their last digits. Every
    /// text that may hold one goes through here.
    pub(crate) fn seen(&self, text: &str) -> String {
        self.sight()(text)
    }

    /// How this visitor sees a text, as a function.
    pub(crate) fn sight(&self) -> fn(&str) -> String {
        if self.may(Scope::Operator) { str::to_owned } else { masked::text }
    }

    /// Tells whether it is still logged in. A database that cannot be asked now can be asked later.
    pub(crate) async fn stays(&self) -> bool {
        !matches!(logins::whose(&self.workspace, &self.cookie).await, Ok(None))
    }

    /// Tells whether it may do what needs this scope.
    pub(crate) fn may(&self, needed: Scope) -> bool {
        self.login.scope >= needed
    }

    /// Refuses who may not do what needs this scope.
    pub(crate) fn needs(&self, needed: Scope) -> Result<(), PageError> {
        if self.may(needed) {
            return Ok(());
        }
        let says = format!("you are logged in as {}, and this needs {needed}", self.login.scope);
        Err(PageError::new(StatusCode::FORBIDDEN, says))
    }
}

/// A visitor who may change things. A handler that changes something takes this, and so nobody else
/// comes to it, whatever the rest of the request says.
#[derive(Debug)]
pub(crate) struct Operator(pub(crate) Visitor);

impl FromRequestParts<Server> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, server).await?;
        visitor.needs(Scope::Operator).map_err(IntoResponse::into_response)?;
        Ok(Self(visitor))
    }
}

/// What the cookie is called: over https a name that no other site and no plain http can set.
pub(crate) fn cookie_name(server: &Server) -> &'static str {
    if is_secure(server) { "__Host-rf" } else { "rf" }
}

/// Tells whether browsers reach this server by https.
pub(crate) fn is_secure(server: &Server) -> bool {
    let http = &server.config.http;
    http.tls.is_some() || http.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
}

impl FromRequestParts<Server> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let peer = parts.extensions.get::<Peer>().copied().unwrap_or(Peer::unknown());
        let jar = CookieJar::from_headers(&parts.headers);
        let anybody = server.workspace(Actor::process("dashboard"));
        let login = match jar.get(cookie_name(server)) {
            Some(cookie) => logins::whose(&anybody, cookie.value()).await,
            None => Ok(None),
        };
        let address = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        match login {
            Err(error) => Err(PageError::from(error).into_response()),
            Ok(Some(login)) => {
                let cookie = jar.get(cookie_name(server)).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
                let origin = peer.address.to_string();
                let address = if parts.method == Method::GET { address } else { String::new() };
                let named = Self { login, workspace: anybody, address, origin, cookie };
                let workspace = server.workspace(Actor::person(named.name(), named.origin.clone()));
                Ok(Self { workspace, ..named })
            }
            // A stream is no page: what it led to would be taken for one.
            Ok(None) if parts.method == Method::GET && parts.uri.path() != "/live" => {
                let to: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
                Err(super::to(&format!("/login?to={to}")))
            }
            Ok(None) => {
                let says = "you are not logged in any more: log in, and do it again";
                Err(PageError::new(StatusCode::UNAUTHORIZED, says).into_response())
            }
        }
    }
}
