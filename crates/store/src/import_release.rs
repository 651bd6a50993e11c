//! From a file that was read to contacts that may be dialled, the canary first.

use std::collections::BTreeMap;

use ringfence_domain::{
    BucketId, CampaignId, ContactId, ContactState, DialClass, ImportId, LaneId, Moment, NumberKey, RunId, StopReason,
};
use serde::Serialize;

use crate::StoreError;
use crate::contacts::{Standing, standings};
use crate::counts::{BucketKey, Deltas, buckets_for, lock_buckets};
use crate::import_chunk::Change;
use crate::imports::{ImportCounts, by_id};
use crate::session::{Session, Sql, args, rows_json, sql};

/// A file that was read and passed the rails.
#[derive(Debug, Clone, Copy)]
pub struct CompleteOrder {
    /// The import.
    pub import: ImportId,
    /// What became of its rows.
    pub counts: ImportCounts,
    /// Contacts that were stopped because the file no longer has them.
    pub missing: i64,
    /// So many are dialled first.
    pub canary: Option<u32>,
    /// When.
    pub now: Moment,
}

/// How the canary of an import is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The import that waits for it.
    pub import: ImportId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Contacts whose first call is not over.
    pub pending: i64,
    /// Contacts whose last call failed.
    pub failures: i64,
    /// Contacts that were called.
    pub calls: i64,
}

/// Changes applied in one transaction.
const CHANGES: i64 = 1_000;
/// Rows forgotten in one transaction.
const FORGOTTEN: i64 = 10_000;

#[derive(Serialize)]
struct ChangeRow<'a> {
    contact_id: ContactId,
    bucket_id: BucketId,
    number: &'a str,
    number_key: NumberKey,
    several: i64,
    external_id: Option<&'a str>,
    fields: &'a ringfence_domain::template::Row,
}

#[derive(Serialize)]
struct IdRow {
    contact_id: ContactId,
}

/// Gives some known contacts the new data that the file has of them. False when nobody is left.
pub(crate) async fn apply_changes(session: &mut Session, import: ImportId, now: Moment) -> Result<bool, StoreError> {
    const NEXT: Sql = sql!(
        "SELECT contact_id AS id, change FROM import_matches WHERE import_id = $1 AND change IS NOT NULL ORDER BY contact_id LIMIT $2"
    );
    const APPLIED: Sql = sql!(
        sqlite "UPDATE import_matches SET change = NULL WHERE import_id = $2 AND contact_id IN (SELECT value->>'contact_id' FROM json_each($1))",
        postgres "UPDATE import_matches SET change = NULL WHERE import_id = $2 AND contact_id = ANY (ARRAY( \
                  SELECT u.contact_id FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint)))"
    );
    const WRITE: Sql = sql!(
        sqlite "UPDATE contacts AS c SET fields = u.fields, bucket_id = u.bucket_id, number = u.number, number_key = u.number_key, \
                several = u.several, external_id = coalesce(u.external_id, c.external_id) FROM (SELECT value->>'contact_id' AS contact_id, \
                value->>'bucket_id' AS bucket_id, value->>'number' AS number, value->>'number_key' AS number_key, \
                value->>'several' AS several, value->>'external_id' AS external_id, value->>'fields' AS fields \
                FROM json_each($1)) AS u WHERE c.id = u.contact_id",
        postgres "UPDATE contacts AS c SET fields = u.fields, bucket_id = u.bucket_id, number = u.number, number_key = u.number_key, \
                  several = u.several = 1, external_id = coalesce(u.external_id, c.external_id) \
                  FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint, bucket_id bigint, number text, number_key bigint, \
                  several bigint, external_id text, fields jsonb) WHERE c.id = u.contact_id"
    );
    const AGAIN: Sql = sql!(
        "UPDATE contacts AS c SET state = 'waiting', stop_reason = NULL, finished_at = NULL, due_at = $3, import_id = $2, \
         row_number = m.row_number, line = m.line FROM import_matches m JOIN"
        rows (contact_id bigint)
        "ON u.contact_id = m.contact_id WHERE m.import_id = $2 AND c.id = m.contact_id"
    );
    let Some(row) = by_id(session, import).await? else { return Ok(false) };
    let mut changes: BTreeMap<ContactId, Change> = BTreeMap::new();
    for row in session.rows(&NEXT, args![import, CHANGES]).await? {
        changes.insert(ContactId(row.get("id")?), row.json("import_matches", "change")?);
    }
    if changes.is_empty() {
        return Ok(false);
    }
    let done: Vec<IdRow> = changes.keys().map(|contact_id| IdRow { contact_id: *contact_id }).collect();
    let standings = standings(session, changes.keys().copied()).await?;
    let owners = owners(session, row.run, &changes).await?;
    changes.retain(|contact, change| {
        let open = standings.get(contact).is_some_and(|standing| {
            is_undone(standing)
                || matches!(standing.state, ContactState::Waiting | ContactState::Active | ContactState::Review)
        });
        change.numbers.retain(|(_, key)| owners.get(key).is_none_or(|owner| owner == contact));
        open && !change.numbers.is_empty()
    });
    let key_of = |standing: &Standing, change: &Change| BucketKey {
        run: standing.run,
        zones: change.zones.clone(),
        class: standing.class,
        import: if is_undone(standing) { import } else { standing.import },
    };
    let wanted = changes.iter().map(|(contact, change)| key_of(&standings[contact], change));
    let buckets = buckets_for(session, wanted.collect::<Vec<_>>().into_iter()).await?;
    let mut deltas = Deltas::default();
    let (mut rows, mut again) = (Vec::new(), Vec::new());
    for (contact, change) in &changes {
        let standing = &standings[contact];
        let bucket_id = buckets[&key_of(standing, change)];
        if standing.state == ContactState::Waiting && bucket_id != standing.bucket {
            deltas.left(standing.bucket);
            deltas.joined(bucket_id, standing.due_at);
        }
        if is_undone(standing) {
            again.push(IdRow { contact_id: *contact });
            deltas.joined(bucket_id, now);
            deltas.contact(standing.run, Some(standing.state), ContactState::Waiting);
            deltas.count(standing.run, format!("stopped:{}", StopReason::Undone), -1);
        }
        // The number whose turn it is keeps its turn if the person still has it.
        let current = change.numbers.iter().find(|(_, key)| *key == standing.number).unwrap_or(&change.numbers[0]);
        rows.push(ChangeRow {
            contact_id: *contact,
            bucket_id,
            number: &current.0,
            number_key: current.1,
            several: i64::from(change.numbers.len() > 1),
            external_id: change.external_id.as_deref(),
            fields: &change.fields,
        });
    }
    if !rows.is_empty() {
        session.run(&WRITE, args![rows_json(&rows)]).await?;
        replace_numbers(session, row.run, &changes).await?;
    }
    if !again.is_empty() {
        session.run(&AGAIN, args![rows_json(&again), import, now]).await?;
    }
    session.run(&APPLIED, args![rows_json(&done), import]).await?;
    deltas.write(session).await?;
    Ok(true)
}

/// Whether nobody called the contact, and nobody would, because the import that brought it was undone.
fn is_undone(standing: &Standing) -> bool {
    standing.stop_reason == Some(StopReason::Undone)
}

/// Whose the new numbers are by now.
async fn owners(
    session: &mut Session,
    run: RunId,
    changes: &BTreeMap<ContactId, Change>,
) -> Result<BTreeMap<NumberKey, ContactId>, StoreError> {
    #[derive(Serialize)]
    struct KeyRow {
        number_key: NumberKey,
    }
    const OWNERS: Sql = sql!(
        sqlite "SELECT number_key, id FROM contacts WHERE run_id = $2 AND number_key IN (SELECT value->>'number_key' FROM json_each($1)) \
                UNION ALL SELECT number_key, contact_id FROM contact_numbers WHERE run_id = $2 \
                AND number_key IN (SELECT value->>'number_key' FROM json_each($1))",
        postgres "SELECT number_key, id FROM contacts WHERE run_id = $2 AND number_key = ANY (ARRAY( \
                  SELECT u.number_key FROM jsonb_to_recordset($1::jsonb) AS u(number_key bigint))) \
                  UNION ALL SELECT number_key, contact_id FROM contact_numbers WHERE run_id = $2 AND number_key = ANY (ARRAY( \
                  SELECT u.number_key FROM jsonb_to_recordset($1::jsonb) AS u(number_key bigint)))"
    );
    let keys: Vec<KeyRow> = changes
        .values()
        .flat_map(|change| change.numbers.iter().map(|(_, number_key)| KeyRow { number_key: *number_key }))
        .collect();
    let rows = session.rows(&OWNERS, args![rows_json(&keys), run]).await?;
    rows.iter().map(|row| Ok((NumberKey(row.get("number_key")?), ContactId(row.get("id")?)))).collect()
}

async fn replace_numbers(
    session: &mut Session,
    run: RunId,
    changes: &BTreeMap<ContactId, Change>,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct NumberRow<'a> {
        contact_id: ContactId,
        number_key: NumberKey,
        place: usize,
        number: &'a str,
    }
    const CLEAR: Sql = sql!(
        sqlite "DELETE FROM contact_numbers WHERE contact_id IN (SELECT value->>'contact_id' FROM json_each($1))",
        postgres "DELETE FROM contact_numbers WHERE contact_id = ANY (ARRAY( \
                  SELECT u.contact_id FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint)))"
    );
    const WRITE: Sql = sql!(
        "INSERT INTO contact_numbers (run_id, number_key, contact_id, place, number) \
         SELECT $2, u.number_key, u.contact_id, u.place, u.number FROM"
        rows (contact_id bigint, number_key bigint, place bigint, number text)
        "WHERE true ON CONFLICT DO NOTHING"
    );
    let ids: Vec<IdRow> = changes.keys().map(|contact_id| IdRow { contact_id: *contact_id }).collect();
    session.run(&CLEAR, args![rows_json(&ids)]).await?;
    let rows: Vec<NumberRow<'_>> = changes
        .iter()
        .filter(|(_, change)| change.numbers.len() > 1)
        .flat_map(|(contact_id, change)| {
            change.numbers.iter().enumerate().map(|(place, (number, number_key))| NumberRow {
                contact_id: *contact_id,
                number_key: *number_key,
                place,
                number,
            })
        })
        .collect();
    if !rows.is_empty() {
        session.run(&WRITE, args![rows_json(&rows), run]).await?;
    }
    Ok(())
}

/// All of the file is in: everyone may be dialled, or the canary first.
pub(crate) async fn complete(session: &mut Session, order: &CompleteOrder) -> Result<(), StoreError> {
    const COMPLETE: Sql = sql!(
        "UPDATE imports SET state = 'complete', rows = $2, accepted = $3, updated = $4, unchanged = $5, duplicate = $6, \
         rejected = $7, missing = $8, completed_at = $9 WHERE id = $1"
    );
    const READY: Sql = sql!("UPDATE runs SET ready = TRUE WHERE id = $1");
    let Some(row) = by_id(session, order.import).await? else { return Ok(()) };
    let ImportCounts { rows, accepted, updated, unchanged, duplicate, rejected } = order.counts;
    let arguments =
        args![order.import, rows, accepted, updated, unchanged, duplicate, rejected, order.missing, order.now];
    session.run(&COMPLETE, arguments).await?;
    match order.canary.filter(|canary| i64::from(*canary) < accepted) {
        Some(canary) => send_canary(session, row.run, order.import, canary).await?,
        None => release(session, row.run, order.import, order.now).await?,
    }
    session.run(&READY, args![row.run]).await?;
    Ok(())
}

/// Takes the first contacts of an import out of its staged buckets.
async fn send_canary(session: &mut Session, run: RunId, import: ImportId, count: u32) -> Result<(), StoreError> {
    const FIRST: Sql = sql!(
        "SELECT c.id FROM buckets b JOIN contacts c ON c.bucket_id = b.id AND c.state = 'waiting' \
         WHERE b.run_id = $1 AND b.import_id = $2 AND b.staged ORDER BY c.row_number LIMIT $3"
    );
    const NOTE: Sql = sql!(
        "INSERT INTO canaries (import_id, contact_id) SELECT $2, u.contact_id FROM"
        rows (contact_id bigint)
        "WHERE true ON CONFLICT DO NOTHING"
    );
    const MOVE: Sql = sql!(
        "UPDATE contacts AS c SET bucket_id = u.bucket_id FROM"
        rows (contact_id bigint, bucket_id bigint)
        "WHERE c.id = u.contact_id"
    );
    #[derive(Serialize)]
    struct MoveRow {
        contact_id: ContactId,
        bucket_id: BucketId,
    }
    let rows = session.rows(&FIRST, args![run, import, i64::from(count)]).await?;
    let ids = rows.iter().map(|row| row.get("id").map(ContactId)).collect::<Result<Vec<_>, _>>()?;
    let standings = standings(session, ids.into_iter()).await?;
    let key_of = |standing: &Standing| BucketKey {
        run,
        zones: standing.zones.clone(),
        class: DialClass::First,
        import: ImportId(0),
    };
    let buckets = buckets_for(session, standings.values().map(key_of)).await?;
    let mut deltas = Deltas::default();
    let (mut moves, mut notes) = (Vec::new(), Vec::new());
    for (contact_id, standing) in &standings {
        let bucket_id = buckets[&key_of(standing)];
        deltas.left(standing.bucket);
        deltas.joined(bucket_id, standing.due_at);
        moves.push(MoveRow { contact_id: *contact_id, bucket_id });
        notes.push(IdRow { contact_id: *contact_id });
    }
    session.run(&MOVE, args![rows_json(&moves)]).await?;
    session.run(&NOTE, args![rows_json(&notes), import]).await?;
    deltas.write(session).await
}

/// Everyone of the import may be dialled.
pub(crate) async fn release(
    session: &mut Session,
    run: RunId,
    import: ImportId,
    now: Moment,
) -> Result<(), StoreError> {
    const STAGED: Sql = sql!("SELECT id FROM buckets WHERE run_id = $1 AND import_id = $2 AND staged");
    const UNSTAGE: Sql = sql!("UPDATE buckets SET staged = FALSE WHERE run_id = $1 AND import_id = $2 AND staged");
    const RELEASED: Sql = sql!("UPDATE imports SET released_at = coalesce(released_at, $2) WHERE id = $1");
    const CANARIES: Sql = sql!("DELETE FROM canaries WHERE import_id = $1");
    let rows = session.rows(&STAGED, args![run, import]).await?;
    let ids = rows.iter().map(|row| row.get("id").map(BucketId)).collect::<Result<Vec<_>, _>>()?;
    lock_buckets(session, ids.into_iter()).await?;
    session.run(&UNSTAGE, args![run, import]).await?;
    session.run(&RELEASED, args![import, now]).await?;
    session.run(&CANARIES, args![import]).await?;
    Ok(())
}

/// Canaries of a lane's campaigns and how they are doing.
pub(crate) async fn canaries(session: &mut Session, lane: LaneId) -> Result<Vec<Canary>, StoreError> {
    const LIST: Sql = sql!(
        "SELECT i.id AS id, p.id AS campaign_id, \
         count(*) FILTER (WHERE c.calls = 0 AND c.state IN ('waiting', 'active', 'review')) AS pending, \
         count(*) FILTER (WHERE c.last_outcome IN ('failed', 'invalid_number') OR c.stop_reason = 'invalid_number') AS failures, \
         count(*) FILTER (WHERE c.calls > 0 OR c.stop_reason = 'invalid_number') AS calls \
         FROM canaries k JOIN imports i ON i.id = k.import_id JOIN contacts c ON c.id = k.contact_id \
         JOIN campaigns p ON p.run_id = i.run_id WHERE p.lane_id = $1 AND i.released_at IS NULL AND i.undone_at IS NULL \
         GROUP BY i.id, p.id ORDER BY i.id"
    );
    let rows = session.rows(&LIST, args![lane]).await?;
    rows.iter()
        .map(|row| {
            Ok(Canary {
                import: ImportId(row.get("id")?),
                campaign: CampaignId(row.get("campaign_id")?),
                pending: row.get("pending")?,
                failures: row.get("failures")?,
                calls: row.get("calls")?,
            })
        })
        .collect()
}

/// Forgets some of what was only kept until the import was complete. False when nothing is left.
pub(crate) async fn forget_matches(session: &mut Session, import: ImportId) -> Result<bool, StoreError> {
    const FORGET: Sql = sql!(
        "DELETE FROM import_matches WHERE import_id = $1 AND contact_id IN \
         (SELECT m.contact_id FROM import_matches m WHERE m.import_id = $1 LIMIT $2)"
    );
    Ok(session.run(&FORGET, args![import, FORGOTTEN]).await? > 0)
}
