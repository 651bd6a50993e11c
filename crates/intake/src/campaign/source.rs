//! `[contacts]`: where contacts come from and how a row is read.

use std::path::{Path, PathBuf};

use ringfence_domain::campaign::{ContactSource, Missing};
use ringfence_domain::empty_words::EmptyWords;
use ringfence_domain::phone::{Country, NumberKind};

use crate::Mistake;
use crate::config::beside;
use crate::section::Section;

pub(super) fn contacts(mut section: Section<'_>, path: &Path) -> Option<ContactSource> {
    // A later reader may have another working directory.
    let absolute = |file: PathBuf| std::path::absolute(&file).unwrap_or(file).display().to_string();
    let file = section.text("file").map(|file| absolute(beside(path, &file.value)));
    let phones = phones(&mut section);
    let country = section.parsed::<Country>("country");
    let countries = countries(&mut section);
    let allow = section.texts("allow").unwrap_or_default();
    let allow = allow.iter().filter_map(|kind| section.parse::<NumberKind>(kind)).collect();
    let timezone = section.text("timezone").map(|column| column.value);
    let id = section.text("id").map(|column| column.value);
    let missing = section.parsed::<Missing>("missing").unwrap_or_default();
    let empty_words = section.texts("empty_words");
    let empty_words = empty_words.map(|words| EmptyWords::new(words.into_iter().map(|word| word.value)));
    let empty_words = empty_words.unwrap_or_default();
    section.finish();
    Some(ContactSource { file, phones: phones?, country, countries, allow, timezone, id, missing, empty_words })
}

/// Reads `countries = ["IN", "US"]`: at least one, where the key is there.
fn countries(section: &mut Section<'_>) -> Vec<Country> {
    let place = section.place_of("countries");
    let texts = section.texts("countries").unwrap_or_default();
    if let Some(place) = place.filter(|_| texts.is_empty()) {
        let mistake = Mistake::new(place, "`contacts.countries` names no country");
        section.found().add(mistake.hint("write countries = [\"IN\"], or leave it out to call every country"));
    }
    texts.iter().filter_map(|text| section.parse(text)).collect()
}

/// Reads `phone = "column"`, or `phones = ["column", …]`.
fn phones(section: &mut Section<'_>) -> Option<Vec<String>> {
    const HINT: &str = "write phone = \"the column\", or phones = [\"mobile\", \"landline\"]";
    let (one, several) = (section.text("phone"), section.texts("phones"));
    let columns = match (one, several) {
        (Some(one), None) => vec![one],
        (None, Some(several)) if !several.is_empty() => several,
        (Some(one), Some(_)) => {
            section.found().add(Mistake::new(one.at, "`phone` and `phones` say the same thing twice").hint(HINT));
            return None;
        }
        _ => {
            section.missing("phone", HINT);
            return None;
        }
    };
    for (place, column) in columns.iter().enumerate() {
        if columns[..place].iter().any(|earlier| earlier.value == column.value) {
            section.found().add(Mistake::new(column.at.clone(), format!("`{}` is named twice", column.value)));
        }
    }
    Some(columns.into_iter().map(|column| column.value).collect())
}
