//! How this installation is set up. It is changed in `ringfence.toml`, and only shown here.

use askama::Template;
use ringfence_domain::Scope;
use ringfence_domain::zone_data::ZoneData;
use ringfence_operations::tokens::{self, ListedToken};
use ringfence_operations::{lanes, presets, webhooks};

use super::frame::Frame;
use super::visitor::Visitor;
use super::{Page, shown};

#[derive(Template)]
#[template(path = "pages/settings.html")]
struct SettingsPage {
    frame: Frame,
    general: Vec<(&'static str, String)>,
    lanes: Vec<Vec<(&'static str, String)>>,
    webhooks: Vec<(String, String)>,
    tokens: Option<Vec<TokenLine>>,
    presets: Vec<PresetLine>,
}

struct TokenLine {
    name: String,
    scope: &'static str,
    begins: String,
    made: String,
    says: String,
    holds: bool,
}

struct PresetLine {
    name: String,
    version: String,
    hours: String,
    source: String,
}

/// Shows them.
pub(crate) async fn settings(visitor: Visitor) -> Page {
    let workspace = &visitor.workspace;
    let frame = Frame::of(&visitor, "Settings", "/settings").await?;
    let (config, store) = (&workspace.config, &workspace.store);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    let general = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("configuration", config.path.display().to_string()),
        ("database", store.location().to_string()),
        ("listens on", or_none(config.http.listen.map(|address| address.to_string()))),
        ("reached at", or_none(config.http.public_url.clone())),
        (
            "https",
            if config.http.tls.is_some() {
                "by a certificate of its own"
            } else if config.http.behind_tls_proxy {
                "by a proxy"
            } else {
                "no"
            }
            .to_owned(),
        ),
        ("zone data", ZoneData::in_use().version().to_string()),
        (
            "holidays of your own",
            or_none(
                (!config.holidays.is_empty()).then(|| config.holidays.keys().cloned().collect::<Vec<_>>().join(", ")),
            ),
        ),
    ];
    let lane = |lane: lanes::Lane| {
        let per_day = lane.limits.per_day.map_or("no limit".to_owned(), |day| day.to_string());
        vec![
            ("lane", lane.name),
            ("vendor", lane.kind),
            ("calls", lane.limits.calls.to_string()),
            ("requests", lane.limits.requests.to_string()),
            ("at once", lane.limits.concurrent.to_string()),
            ("a day", per_day),
            ("clock", lane.zone.name().to_owned()),
            ("credentials", "***".to_owned()),
        ]
    };
    // An address may hold a secret of its receiver.
    let listed = if visitor.may(Scope::Operator) { webhooks::list(workspace).await? } else { Vec::new() };
    let tokens = if visitor.may(Scope::Admin) { Some(tokens::list(workspace).await?) } else { None };
    let page = SettingsPage {
        general,
        lanes: lanes::list(workspace).await?.into_iter().map(lane).collect(),
        webhooks: listed
            .into_iter()
            .map(|hook| (hook.url, hook.reason.unwrap_or_else(|| "works".to_owned())))
            .collect(),
        tokens: tokens.map(|tokens| tokens.iter().map(|token| token_line(&frame, token)).collect()),
        presets: presets::list()?
            .into_iter()
            .map(|preset| PresetLine {
                name: preset.name,
                version: preset.version.to_string(),
                hours: preset.hours.map(|hours| hours.to_string()).unwrap_or_default(),
                source: preset.source,
            })
            .collect(),
        frame,
    };
    Ok(shown(&page))
}

fn token_line(frame: &Frame, token: &ListedToken) -> TokenLine {
    let says = match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {}", frame.moment(at)),
        (None, Some(at)) if !token.holds => format!("over since {}", frame.moment(at)),
        (None, Some(at)) => format!("until {}", frame.moment(at)),
        (None, None) => "without an end".to_owned(),
    };
    TokenLine {
        name: token.name.clone(),
        scope: token.scope.as_str(),
        begins: token.begins.clone(),
        made: format!("{} by {}", frame.moment(token.created_at), token.created_by),
        says,
        holds: token.holds,
    }
}
