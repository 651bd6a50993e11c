//! Words that stand for an empty cell: databases and spreadsheets write them where they have no
//! value, and nobody is called "NULL".

use serde::{Deserialize, Serialize};

/// The words that stand for an empty cell when the campaign names none.
const USUAL: [&str; 7] = ["NULL", "None", "nan", "N/A", "#N/A", "undefined", "-"];

/// The words of a campaign that stand for an empty cell. Without any, each cell counts as it is
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmptyWords(Vec<String>);

impl EmptyWords {
    /// Takes these words; spaces around them do not count.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
    }

    /// Returns the word that the whole cell is, whatever its case and the spaces around it.
    pub fn find(&self, cell: &str) -> Option<&str> {
        let cell = cell.trim();
        self.0.iter().find(|word| word.eq_ignore_ascii_case(cell)).map(String::as_str)
    }

    /// Returns all of them.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Tells whether they are the usual ones.
    pub fn are_usual(&self) -> bool {
        self.0 == USUAL
    }
}

impl Default for EmptyWords {
    fn default() -> Self {
        Self(USUAL.map(str::to_owned).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_cell_is_such_a_word() {
        let usual = EmptyWords::default();
        for cell in ["NULL", " null ", "NaN", "n/a", "#N/A", "none\t", "Undefined", "-"] {
            assert!(usual.find(cell).is_some(), "{cell:?}");
        }
        for cell in ["", " ", "Nullmeier", "Nan Goldin", "--", "-5", "0", "no", "N / A"] {
            assert_eq!(usual.find(cell), None, "{cell:?}");
        }
        assert_eq!(EmptyWords::new([]).find("NULL"), None, "switched off");
        assert_eq!(EmptyWords::new([" unbekannt ".to_owned()]).find("Unbekannt"), Some("unbekannt"));
    }
}
