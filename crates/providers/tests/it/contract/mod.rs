//! What holds for every registered vendor, by what it declares and by the answers that its pages
//! show.

mod answers;
mod calls;
mod fixtures;

use bytes::Bytes;
use http::Response;
use ringfence_domain::Placement;
use ringfence_providers::{CallRequest, Vendor, WireError};
use ringfence_samples::vendors;
use ringfence_samples::{lane_settings, noon, number};

use crate::script::Script;

pub(super) fn call(vendor: &Vendor, n: usize) -> CallRequest {
    let settings = lane_settings("main");
    let rules = vendors::suited(vendor, &settings, ringfence_samples::rules("spring", "main"));
    CallRequest {
        reference: format!("reference-{n}"),
        to: number(n),
        from: rules.caller_ids.first().cloned(),
        agent: rules.agent,
        variables: [("name".to_owned(), "Asha \"A\" & co: ₹1\r\n".to_owned())].into(),
        metadata: [("crm".to_owned(), "17".to_owned())].into(),
        vendor: rules.vendor.iter().filter_map(|(name, text)| Some((name.clone(), text.fixed()?))).collect(),
        report_to: Some("https://dialer.example.com/callbacks/main/secret".to_owned()),
        at: noon(),
        ring_before: None,
    }
}

pub(super) fn word(placing: &Placement) -> String {
    match placing {
        Placement::Accepted { call_id } => format!("accepted {call_id}"),
        Placement::NotSent { .. } => "not sent".to_owned(),
        Placement::Throttled { .. } => "pace".to_owned(),
        Placement::LaneFault { .. } => "lane".to_owned(),
        Placement::CampaignFault { .. } => "campaign".to_owned(),
        Placement::Reworded { .. } => "reworded".to_owned(),
        Placement::RequestFault { .. } => "request".to_owned(),
        Placement::NumberFault { .. } => "contact".to_owned(),
        Placement::Unknown { .. } => "unknown".to_owned(),
        Placement::Undocumented { .. } => "undocumented".to_owned(),
    }
}

pub(super) async fn placing(vendor: &Vendor, reply: Result<Response<Bytes>, WireError>) -> Placement {
    let script = Script::of(vec![reply]);
    let mut setup = vendors::setup(vendor, &lane_settings("main"), "http://vendor.invalid");
    // The page's answers are answers to the page's requests.
    setup.values.entry("dialect".to_owned()).and_modify(|dialect| "docs".clone_into(dialect));
    let provider = vendors::build(vendor, setup, script.clone());
    let placing = provider.place(&call(vendor, 1)).await;
    assert_eq!(script.asked().len(), 1, "{}: one request, whatever the answer", vendor.kind);
    placing
}
