//! Why somebody is not called.

use axum::extract::Path;
use ringfence_domain::ContactId;
use ringfence_operations::why::{self, Explanation, Outside, WhyCampaign, WhyNumber};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Answer, Call, Sent};

/// What is known of a number, or of a contact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    /// The number in the current runs: a contact for each campaign.
    contacts: Vec<Explanation>,
    /// When no current run has it: what is known all the same.
    outside: Option<Outside>,
}

impl From<WhyNumber> for Explained {
    fn from(why: WhyNumber) -> Self {
        match why {
            WhyNumber::Contacts(contacts) => Self { contacts, outside: None },
            WhyNumber::Outside(outside) => Self { contacts: Vec::new(), outside: Some(*outside) },
        }
    }
}

/// Explains one contact: every rule, and when it may be called next.
#[utoipa::path(get, path = "/contacts/{id}/why", tag = "contacts", params(("id" = i64, Path, description = "The contact.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "Every rule.", body = Explained)))]
pub(crate) async fn why_contact(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&Explained::from(why::of_contact(&call.workspace, ContactId(id)).await?))
}

/// A number to explain. It stands in the body: addresses end up in logs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyRequest {
    /// The number, with + and country code unless all campaigns name one country.
    phone: String,
    /// Only this campaign.
    #[serde(default)]
    campaign: Option<String>,
}

/// Explains a number, in one campaign or in all.
#[utoipa::path(post, path = "/why", tag = "contacts", security(("token" = ["viewer"])), request_body = WhyRequest,
    responses((status = 200, description = "Every rule.", body = Explained)))]
pub(crate) async fn why_number(call: Call, Sent(sent): Sent<WhyRequest>) -> Answer {
    call.answer(&Explained::from(why::number(&call.workspace, &sent.phone, sent.campaign.as_deref()).await?))
}

/// Explains for which reasons the contacts of a campaign wait, and how many for each.
#[utoipa::path(get, path = "/campaigns/{name}/why", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The reasons.", body = WhyCampaign)))]
pub(crate) async fn why_campaign(call: Call, Path(name): Path<String>) -> Answer {
    call.answer(&why::campaign(&call.workspace, &name).await?)
}
