//! Row identities, one type each so that no two can be mixed up.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                i64::schema()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A campaign: rules plus a contact source.
    CampaignId,
    /// One pass of a campaign over its contacts.
    RunId,
    /// One contact file taken in.
    ImportId,
    /// One account at one provider.
    LaneId,
    /// Waiting contacts of one run that share a zone set and a dial class.
    BucketId,
    /// One person to reach in one run.
    ContactId,
    /// One try at one contact.
    AttemptId,
    /// One token for requests over HTTP.
    TokenId,
    /// A browser that is logged in.
    LoginId,
}
