//! What the machine can do at most: the four durable writes of a dial, in batches, around one POST,
//! with one question a batch whether its calls are over, and nothing else. No window, no limit, no number is looked at.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::Request;
use ringfence_providers::{HttpTransport, Transport};
use serde_json::{Value, json};
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::vendor::ended;

/// Dials that are written together.
const BATCH: i64 = 256;
/// Requests of one batch that are out at once.
const OUT: usize = 64;
/// Batches that are worked on at once.
const LOOPS: usize = 4;

const TABLES: &str = "CREATE TABLE people (id bigint PRIMARY KEY, phone text, state smallint DEFAULT 0, \
     due timestamptz DEFAULT now(), attempts int DEFAULT 0, fields jsonb DEFAULT '{\"name\": \"Person\"}'); \
     CREATE INDEX ON people (due) WHERE state = 0; \
     CREATE TABLE dials (id bigserial PRIMARY KEY, person bigint NOT NULL, state text NOT NULL, call_id text, \
     at timestamptz DEFAULT now()); \
     CREATE UNIQUE INDEX ON dials (person) WHERE state IN ('open', 'sending')";

/// Returns how many dials a second there were.
pub(crate) async fn measure(url: &str, vendor: &str, dials: usize) -> f64 {
    let pool = PgPoolOptions::new().max_connections(20).connect(url).await.expect("a database");
    sqlx::raw_sql(TABLES).execute(&pool).await.expect("tables");
    sqlx::query("INSERT INTO people (id, phone) SELECT i, '98' || lpad(i::text, 8, '0') FROM generate_series(1, $1) i")
        .bind(dials as i64)
        .execute(&pool)
        .await
        .expect("people");
    let client = HttpTransport::new(None).expect("a client");
    let begun = Instant::now();
    let loops = (0..LOOPS).map(|_| tokio::spawn(dial(pool.clone(), client.clone(), vendor.to_owned())));
    let mut done = 0;
    for one in loops.collect::<Vec<_>>() {
        done += one.await.expect("it ends");
    }
    assert_eq!(done, dials);
    done as f64 / begun.elapsed().as_secs_f64()
}

/// Dials batch after batch until nobody is left.
async fn dial(pool: PgPool, client: Arc<HttpTransport>, vendor: String) -> usize {
    const OPEN: &str = "WITH due AS (SELECT id FROM people WHERE state = 0 AND due <= now() ORDER BY due LIMIT $1 \
         FOR UPDATE SKIP LOCKED), taken AS (UPDATE people SET state = 1, attempts = attempts + 1 FROM due \
         WHERE people.id = due.id RETURNING people.id) INSERT INTO dials (person, state) \
         SELECT id, 'open' FROM taken RETURNING id";
    const SENDING: &str = "UPDATE dials SET state = 'sending' WHERE id = ANY ($1) AND state = 'open'";
    const PLACED: &str = "UPDATE dials SET state = 'placed', call_id = u.call_id FROM unnest($1::bigint[], $2::text[]) \
         AS u (id, call_id) WHERE dials.id = u.id AND state = 'sending'";
    const ENDED: &str = "WITH ended AS (UPDATE dials SET state = 'ended' WHERE id = ANY ($1) RETURNING person) \
         UPDATE people SET state = 2 FROM ended WHERE people.id = ended.person";
    let mut done = 0;
    loop {
        let open: Vec<i64> = sqlx::query_scalar(OPEN).bind(BATCH).fetch_all(&pool).await.expect("opened");
        if open.is_empty() {
            return done;
        }
        sqlx::query(SENDING).bind(&open).execute(&pool).await.expect("claimed");
        let placed: Vec<(i64, String)> =
            stream::iter(open).map(|id| place(&client, &vendor, id)).buffer_unordered(OUT).collect().await;
        done += placed.len();
        let (ids, calls): (Vec<i64>, Vec<String>) = placed.into_iter().unzip();
        sqlx::query(PLACED).bind(&ids).bind(&calls).execute(&pool).await.expect("recorded");
        assert_eq!(ended(&*client, &vendor, &calls).await.len(), calls.len());
        sqlx::query(ENDED).bind(&ids).execute(&pool).await.expect("ended");
    }
}

async fn place(client: &HttpTransport, vendor: &str, id: i64) -> (i64, String) {
    let body = json!({ "agent_id": "a", "callee_phone": "9999999999", "caller_phone": "9999999999" });
    let request = Request::post(format!("{vendor}/agent/trigger-outbound-call"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let answer = client.send(request).await.expect("an answer");
    let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
    (id, answer["call_id"].as_str().expect("a call").to_owned())
}
