//! The vendor takes a call, its answer is lost, and the call is never listed. Its slot is free after a
//! while, and a person says what became of it. Then the campaign's last day is over, and somebody
//! still waits.

use ringfence_domain::Span;
use ringfence_sandbox::Fault;
use ringfence_tests::project;

use super::RULES;
use crate::behaviours::{Happens, well};
use crate::stage::Stage;

/// Enough calls to know how long one takes.
const PEOPLE: usize = 24;

pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    let patient = RULES.replace("ask_for = \"8s\"", "ask_for = \"40s\"");
    stage.write_campaign(&patient);
    stage.write("contacts.csv", &project::contacts(0..PEOPLE));
    stage.finish(PEOPLE).await?;
    stage.vendor.simulator.change(|behaviour| {
        behaviour.faults = vec![(Fault::LostAnswer, 100.0)];
        behaviour.listed_after = None;
    });
    stage.write("contacts.csv", &project::contacts(0..=PEOPLE));
    stage.finish(PEOPLE + 1).await?;
    stage.vendor.simulator.change(|behaviour| {
        *behaviour = well();
        behaviour.listed_after = Some(Span::ZERO);
    });
    stage.insist(&["review", "settle", "all", "placed"], &[0]).await?;
    stage.insist(&["pause", "spring", "--reason", "over"], &[0]).await?;
    stage.write("more.csv", &project::contacts(PEOPLE + 1..PEOPLE + 2));
    stage.insist(&["import", "spring", "more.csv", "--partial"], &[0]).await?;
    let over = "[schedule]\nends = \"2026-01-01\"\n";
    stage.write_campaign(&[&patient, over].concat());
    stage.insist(&["apply", "spring.toml", "--yes"], &[0]).await?;
    stage.insist(&["resume", "spring", "--accept"], &[0, 1]).await?;
    stage.finish(PEOPLE + 2).await
}
