//! Tokens, logins, and the requests that came with them under a key.

use ringfence_domain::{LoginId, Moment, TokenId};

use super::transitions;
use crate::idempotency::{Begun, Replay, RequestKey};
use crate::logins::{LoginBy, LoginRow, NewLoginCode};
use crate::tokens::{NewToken, TokenRow};
use crate::{idempotency, logins, tokens};

transitions! {
    /// Enters a token.
    write create_token(token: NewToken, now: Moment) -> TokenRow = |session| tokens::create(session, &token, now);
    /// Revokes a token; it does not hold from the next request on. None when there is none.
    write revoke_token(id: TokenId, now: Moment) -> Option<TokenRow> = |session| tokens::revoke(session, id, now);
    /// The token of this digest, whether it holds or not.
    read token(digest: String) -> Option<TokenRow> = |session| tokens::find(session, &digest);
    /// All tokens, oldest first.
    read tokens() -> Vec<TokenRow> = |session| tokens::list(session);

    /// Enters a code that logs one browser in, once.
    write enter_login_code(code: NewLoginCode) -> () = |session| logins::enter_code(session, &code);
    /// Begins a login whose cookie has this digest; none when the token or the code does not hold.
    write begin_login(by: LoginBy, cookie: String, ends_at: Moment, now: Moment) -> Option<LoginRow> =
        |session| logins::begin(session, &by, &cookie, ends_at, now);
    /// The login of the cookie of this digest, if it holds.
    read login(cookie: String, now: Moment) -> Option<LoginRow> = |session| logins::find(session, &cookie, now);
    /// Notes that a login made a request.
    write note_login(id: LoginId, now: Moment) -> () = |session| logins::seen(session, id, now);
    /// Ends the login of the cookie of this digest; false when there is none.
    write end_login(cookie: String, now: Moment) -> bool = |session| logins::end(session, &cookie, now);
    /// Forgets logins and codes that do not hold any more.
    write forget_logins(now: Moment) -> () = |session| logins::forget(session, now);

    /// Begins the work of a request under its key, or returns what became of the earlier one. What a
    /// process that is known to be `dead` worked at is not under way.
    write begin_request(key: RequestKey, dead: Option<String>, lease_until: Moment, now: Moment) -> Begun =
        |session| idempotency::begin(session, &key, dead.as_deref(), lease_until, now);
    /// Keeps the answer of a request under its key.
    write finish_request(id: i64, answer: Replay) -> () = |session| idempotency::finish(session, id, &answer);
    /// Forgets a key whose request changed nothing, so that it may come again.
    write drop_request(id: i64) -> () = |session| idempotency::discard(session, id);
    /// Forgets keys of requests that began before a moment, some at a time. Returns whether there
    /// may be more.
    bulk forget_requests(before: Moment) -> bool = |session, limit| idempotency::forget(session, before, limit);
}
