//! The state diagrams of ARCHITECTURE.md are those of `domain`, and so are the arrows that both
//! databases allow.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringfence_domain::{AttemptState, ContactState};
use ringfence_tests::{TestDatabase, on_both_databases};
use sqlx::{Connection, Row};

const BEGIN: &str = "<!-- drawn from crates/domain/src/transitions.rs: UPDATE=1 cargo xtask test diagrams -->\n";
const END: &str = "<!-- end of what is drawn -->\n";

/// All arrows of a table, as pairs of words.
fn arrows<S>(all: &[S], next: impl Fn(S) -> &'static [S]) -> Vec<(String, String)>
where
    S: Copy + ToString + 'static,
{
    let of = |from: S| next(from).iter().map(move |to| (from.to_string(), to.to_string()));
    all.iter().flat_map(|from| of(*from)).collect()
}

fn of_attempts() -> Vec<(String, String)> {
    arrows(AttemptState::ALL, AttemptState::next)
}

fn of_contacts() -> Vec<(String, String)> {
    arrows(ContactState::ALL, ContactState::next)
}

/// A diagram as GitHub draws it.
fn diagram(begin: &str, arrows: &[(String, String)]) -> String {
    let mut lines = format!("```mermaid\nstateDiagram-v2\n    direction LR\n    [*] --> {begin}\n");
    for (from, to) in arrows {
        lines.push_str(&format!("    {from} --> {to}\n"));
    }
    let ends: BTreeSet<&String> = arrows.iter().map(|(_, to)| to).collect();
    for end in ends.into_iter().filter(|end| arrows.iter().all(|(from, _)| from != *end)) {
        lines.push_str(&format!("    {end} --> [*]\n"));
    }
    lines + "```\n"
}

#[test]
fn architecture_shows_the_states_as_they_are() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).expect("ARCHITECTURE.md");
    let (before, rest) = text.split_once(BEGIN).expect("where the diagrams begin");
    let (shown, after) = rest.split_once(END).expect("where the diagrams end");
    let drawn = format!(
        "A contact:\n\n{}\nAn attempt:\n\n{}",
        diagram("waiting", &of_contacts()),
        diagram("open", &of_attempts())
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{drawn}{END}{after}")).expect("written");
        return;
    }
    assert_eq!(shown, drawn, "draw them anew: UPDATE=1 cargo xtask test diagrams");
}

/// The arrows that stand in the text of a trigger.
async fn allowed(database: &TestDatabase, trigger: &'static str) -> BTreeSet<(String, String)> {
    let text: String = if let Some(path) = database.url.strip_prefix("sqlite://") {
        let mut link = sqlx::SqliteConnection::connect(path).await.expect("the file");
        let found = sqlx::query("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = $1").bind(trigger);
        found.fetch_one(&mut link).await.expect("a trigger").get(0)
    } else {
        let mut link = sqlx::PgConnection::connect(&database.url).await.expect("the server");
        let found = sqlx::query("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = $1").bind(trigger);
        found.fetch_one(&mut link).await.expect("a trigger").get(0)
    };
    let words = text.split('\'').filter_map(|word| word.split_once('>'));
    let named = words.filter(|(from, to)| !from.is_empty() && !to.is_empty() && !from.contains(' '));
    named.map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
}

on_both_databases! {
    async fn triggers_allow_the_arrows_and_no_others(database) {
        let attempts: BTreeSet<_> = of_attempts().into_iter().collect();
        assert_eq!(allowed(&database, "attempts_legal_transition").await, attempts);
        let contacts: BTreeSet<_> = of_contacts().into_iter().collect();
        assert_eq!(allowed(&database, "contacts_legal_transition").await, contacts);
    }
}
