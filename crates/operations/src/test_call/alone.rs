//! The campaign of one call, and its one contact.

use ringfence_domain::campaign::RetryRules;
use ringfence_domain::safety::Safety;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::template::Row;
use ringfence_domain::window::Timetable;
use ringfence_domain::{Campaign, PhoneNumber, Span, ZoneSet};
use ringfence_store::{
    CampaignRow, CompleteOrder, Database, ImportChunk, ImportCounts, ImportOrder, ImportStart, NewContact,
};

use crate::error::Error;

/// The campaign's rules for one call that stands beside it.
pub(super) fn rules(rules: &Campaign, ignore_window: bool) -> Campaign {
    let mut alone = Campaign {
        name: format!("test-call:{}", rules.name),
        priority: 1,
        retry: RetryRules { max_attempts: 1, after: std::collections::BTreeMap::new(), ..RetryRules::default() },
        schedule: Schedule::default(),
        safety: Safety { canary: None, max_file_age: None, ..rules.safety.clone() },
        ..rules.clone()
    };
    alone.contacts.file = None;
    if ignore_window {
        alone.calling.hours = Timetable::always();
        alone.calling.closures = std::sync::Arc::default();
        for preset in &mut alone.calling.presets {
            (preset.hours, preset.closures) = (None, std::sync::Arc::default());
        }
        alone.calling.guard = Span::ZERO;
    }
    alone
}

/// A fresh run with this one contact.
pub(super) async fn contact(
    store: &Database,
    clock: &dyn ringfence_domain::Clock,
    campaign: CampaignRow,
    number: &PhoneNumber,
    zones: ZoneSet,
    fields: Row,
) -> Result<CampaignRow, Error> {
    let key = uuid::Uuid::new_v4().simple().to_string();
    let now = clock.read().now;
    let (run, _) = store.begin_run(campaign.id, key.clone(), now).await?;
    let columns: Vec<String> = fields.keys().cloned().collect();
    let order = ImportOrder {
        run: run.id,
        source: "test call".to_owned(),
        digest: key,
        columns: columns.clone(),
        written_at: None,
        now,
    };
    let ImportStart::Begin(import) = store.begin_import(order).await? else {
        return Err(Error::work("a test call stood in the database already"));
    };
    let contact = NewContact {
        row_number: 1,
        line: 1,
        numbers: vec![(number.clone(), store.hasher().key(number))],
        zones,
        external_id: None,
        fields,
    };
    let chunk = ImportChunk { import, run: run.id, contacts: vec![contact], rejects: Vec::new(), columns, now };
    store.import_chunk(chunk).await?;
    let counts = ImportCounts { rows: 1, accepted: 1, ..ImportCounts::default() };
    store.complete_import(CompleteOrder { import, counts, missing: 0, canary: None, now }).await?;
    Ok(CampaignRow { run: run.id, ..campaign })
}
