//! Who may ask for what. Which scope a route needs stands in the document of the API, at the route
//! itself; a route without one is open to nobody.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ringfence_domain::Scope;
use ringfence_domain::token::Token;
use ringfence_store::{Actor, TokenRow};

use crate::Server;
use crate::front::peer::Peer;
use crate::problem::{Problem, ProblemKind};

/// Who asks: a token that holds, and from where.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) token: TokenRow,
    pub(crate) peer: Peer,
}

impl Caller {
    /// Its name in the record of changes.
    pub(crate) fn name(&self) -> String {
        format!("token {} ({})", self.token.name, self.token.id)
    }

    /// The one whose changes these are.
    pub(crate) fn actor(&self) -> Actor {
        Actor::person(self.name(), self.peer.address.to_string())
    }
}

/// Lets a request in when its token may ask for its route.
pub(crate) async fn admit(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::unknown());
    let caller = match identify(&server, request.headers(), peer).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    match server.document.scope(&method, &path) {
        Some(needed) if caller.token.scope >= needed => {}
        Some(needed) => return too_small(caller.token.scope, needed).into_response(),
        None => return Problem::new(ProblemKind::Method, "this address takes other methods").into_response(),
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Finds out whose token came. A token that is wrong, over or revoked gets one and the same answer.
pub(crate) async fn identify(server: &Server, headers: &HeaderMap, peer: Peer) -> Result<Caller, Problem> {
    let refused = |detail: &str| {
        server.limits.wrong(peer)?;
        let hint = "send Authorization: Bearer rf_…; `ringfence token create` makes one";
        Err(Problem::new(ProblemKind::Unauthorized, detail).hint(hint))
    };
    let Some(sent) = headers.get(header::AUTHORIZATION) else {
        return Err(Problem::new(ProblemKind::Unauthorized, "no token came")
            .hint("send Authorization: Bearer rf_…; `ringfence token create` makes one"));
    };
    let text = sent.to_str().unwrap_or_default();
    let bearer = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some(token) = bearer.and_then(|(_, token)| Token::parse(token.trim())) else {
        return refused("the token does not hold");
    };
    // Asked anew each time, so that a revoked token does not hold from the next request on.
    let found = server.store.token(token.digest()).await.map_err(|error| {
        tracing::error!(%error, "no token can be checked: {error}");
        Problem::new(ProblemKind::Failed, "no token can be checked now").retry_after(5)
    })?;
    match found.filter(|found| found.holds(server.clock.read().now)) {
        Some(token) => {
            server.limits.token(token.id)?;
            Ok(Caller { token, peer })
        }
        None => refused("the token does not hold"),
    }
}

fn too_small(scope: Scope, needed: Scope) -> Problem {
    Problem::new(ProblemKind::Forbidden, format!("the token is a {scope}'s, and this needs a token of scope {needed}"))
}
