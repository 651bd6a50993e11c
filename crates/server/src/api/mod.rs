//! The API: every operation of the command line, over HTTP, without a rule of its own.
//!
//! Adding a route: a handler with its description in a file here, and one line in [`routes`]. The
//! description names the scope that the route needs; without one nobody is let in.

pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod call;
pub(crate) mod campaigns;
pub(crate) mod check;
pub(crate) mod contacts;
pub(crate) mod dnc;
pub(crate) mod document;
pub(crate) mod export;
pub(crate) mod imports;
pub(crate) mod knowledge;
pub(crate) mod lanes;
pub(crate) mod page;
pub(crate) mod paging;
pub(crate) mod quarantine;
pub(crate) mod review;
pub(crate) mod stop;
pub(crate) mod tokens;
pub(crate) mod webhooks;
pub(crate) mod why;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Server;

/// Every route of the API, below its base.
pub(crate) fn routes() -> OpenApiRouter<Server> {
    let routes = OpenApiRouter::new()
        .routes(routes!(campaigns::list_campaigns, campaigns::create_campaign))
        .routes(routes!(campaigns::get_campaign, campaigns::change_campaign))
        .routes(routes!(campaigns::plan_campaign))
        .routes(routes!(campaigns::run_campaign))
        .routes(routes!(campaigns::pause_campaign))
        .routes(routes!(campaigns::resume_campaign))
        .routes(routes!(campaigns::cancel_campaign))
        .routes(routes!(campaigns::preview_campaign))
        .routes(routes!(campaigns::test_call))
        .routes(routes!(campaigns::campaign_summary))
        .routes(routes!(campaigns::campaign_runs))
        .routes(routes!(why::why_campaign))
        .routes(routes!(contacts::campaign_contacts, crate::upload::add_contacts))
        .routes(routes!(contacts::get_contact))
        .routes(routes!(why::why_contact))
        .routes(routes!(why::why_number))
        .routes(routes!(attempts::campaign_attempts))
        .routes(routes!(attempts::get_attempt))
        .routes(routes!(export::export_campaign))
        .routes(routes!(imports::campaign_imports))
        .routes(routes!(imports::get_import))
        .routes(routes!(imports::import_rejects))
        .routes(routes!(imports::undo_import))
        .routes(routes!(dnc::list_dnc, dnc::add_dnc))
        .routes(routes!(dnc::remove_dnc))
        .routes(routes!(dnc::import_dnc))
        .routes(routes!(lanes::list_lanes))
        .routes(routes!(lanes::pause_lane))
        .routes(routes!(lanes::resume_lane))
        .routes(routes!(review::list_review, review::settle_review))
        .routes(routes!(stop::status))
        .routes(routes!(stop::stop_all))
        .routes(routes!(stop::start_all))
        .routes(routes!(quarantine::get_quarantine))
        .routes(routes!(quarantine::lift_quarantine))
        .routes(routes!(check::check_config, check::check_campaign))
        .routes(routes!(backup::write_backup))
        .routes(routes!(knowledge::list_presets))
        .routes(routes!(knowledge::check_hours))
        .routes(routes!(audit::list_audit))
        .routes(routes!(crate::stream::stream_events))
        .routes(routes!(webhooks::list_webhooks))
        .routes(routes!(webhooks::webhook_messages))
        .routes(routes!(webhooks::redeliver_messages))
        .routes(routes!(webhooks::enable_webhook))
        .routes(routes!(webhooks::disable_webhook))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token));
    OpenApiRouter::new().nest(document::BASE, routes)
}
