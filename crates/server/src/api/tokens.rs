//! Tokens: who may ask, and for what.

use axum::extract::Path;
use ringfence_domain::{Scope, Span, TokenId};
use ringfence_operations::tokens::{self, CreatedToken, ListedToken};
use serde::Deserialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, Sent};

/// Lists the tokens, oldest first. None is shown whole.
#[utoipa::path(get, path = "/tokens", tag = "tokens", security(("token" = ["admin"])),
    responses((status = 200, description = "The tokens.", body = Vec<ListedToken>)))]
pub(crate) async fn list_tokens(call: Call) -> Answer {
    call.answer(&tokens::list(&call.workspace).await?)
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// What people know it by: who uses it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may be used for.
    scope: Scope,
    /// How long it holds, as in `90d`; without it until it is revoked.
    #[serde(default)]
    expires_in: Option<Span>,
}

/// Makes a token. The answer has it this once.
#[utoipa::path(post, path = "/tokens", tag = "tokens", security(("token" = ["admin"])), request_body = TokenRequest,
    responses((status = 201, description = "The token.", body = CreatedToken)))]
pub(crate) async fn create_token(call: Call, Sent(sent): Sent<TokenRequest>) -> Answer {
    let by = call.caller.name();
    let created = tokens::create(&call.workspace, &sent.name, sent.scope, sent.expires_in, &by).await?;
    call.created(&created, &format!("/api/v1/tokens/{}", created.listed.id))
}

/// Revokes a token: it does not hold from the next request on.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = i64, Path, description = "The token.")),
    security(("token" = ["admin"])), responses((status = 200, description = "It does not hold any more.", body = ListedToken)))]
pub(crate) async fn revoke_token(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&tokens::revoke(&call.workspace, TokenId(id)).await?)
}
