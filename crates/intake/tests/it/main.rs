//! What operators write, and how its mistakes are told.

mod campaigns;
mod configs;
mod csv;
mod keys;
mod required;
mod schemas;
mod tables;
mod vendors;
mod zones;

use ringfence_intake::Mistakes;

/// Fails unless one of the mistakes stands at this place, `file:line:column` or the beginning of
/// it, and says this.
fn assert_told(mistakes: &Mistakes, place: &str, says: &str) {
    let lines = mistakes.lines();
    let told = lines.iter().any(|line| line.contains(place) && line.contains(says));
    assert!(told, "wanted {place} {says}, got {lines:#?}");
}
