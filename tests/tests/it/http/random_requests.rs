//! Whatever is sent to the API, it answers as its document says, and never by a fault of its own:
//! schemathesis makes requests from the document, right ones and wrong ones.

use std::process::Stdio;

use ringfence_domain::{Outcome, Placement, Scope};
use ringfence_store::Settlement;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::web::{Web, config};
use tokio::process::Command;

/// A stream does not end; a real call takes as long as it takes; a stop ends everything that comes
/// after it; and the token that asks must not be revoked.
const LEFT_OUT: &str = "/events$|/test-call$|/v1/stop$|/tokens/";

/// Ids that are there, so that what is behind an address is reached.
const KNOWN: &str = r#"
[parameters]
"path.name" = "spring"
"path.lane" = "main"
"path.id" = 1
"#;

on_both_databases! {
    async fn every_answer_is_as_the_document_says(database) {
        let store = &database.store;
        let stage = Stage::set(store, 40).await;
        let placed = stage.place(store, 4, noon()).await;
        let ended = placed[..2].iter().map(|attempt| (*attempt, Settlement::Ended(Outcome::Busy, Box::default())));
        store.settle(ended.collect(), noon()).await.expect("settled");
        let unsure = stage.claim(store, 2, noon()).await;
        let lost = Placement::Unknown { cause: "the answer was lost".to_owned() };
        store.record(unsure.iter().map(|attempt| stage.sent(*attempt, lost.clone())).collect(), noon()).await.expect("recorded");
        let web = Web::begin(store, config(database.folder())).await;
        let token = web.token(Scope::Admin).await;
        let folder = std::env::var("RINGFENCE_TEST_SCHEMATHESIS").expect("`cargo xtask test` installs schemathesis");
        let work = tempfile::TempDir::new().expect("a folder");
        // Once with names that are nobody's, once with some that are there.
        for known in ["", KNOWN] {
            std::fs::write(work.path().join("schemathesis.toml"), known).expect("written");
            let mut run = Command::new("python3");
            run.arg(format!("{folder}/bin/st")).arg("run").arg(format!("{}/api/openapi.json", web.base));
            run.args(["--header", &format!("Authorization: Bearer {token}"), "--exclude-path-regex", LEFT_OUT]);
            run.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--rate-limit", "90/s", "--seed", "1"]);
            run.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,\
                response_schema_conformance,response_headers_conformance,negative_data_rejection"]);
            run.env("PYTHONPATH", &folder).env("NO_COLOR", "1").current_dir(work.path()).stdin(Stdio::null());
            let ran = run.kill_on_drop(true).output().await.expect("python3 is started");
            let said = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
            assert!(said.contains("Tested: "), "{said}");
        }
    }
}
