//! Words that stand for an empty cell: databases and spreadsheets write them where they have no
//! value, and nobody is called "NULL".

use serde::{Deserialize, Serialize};

/// What stands for an empty cell when the campaign does not say.
const USUAL: [&str; 7] = ["NULL", "None", "nan", "N/A", "#N/A", "undefined", "-"];

/// The words of a campaign; with none, each cell is what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmptyWords(Vec<String>);

impl EmptyWords {
    /// These words; spaces around them do not count.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
    }

    /// The word that the whole cell is, whatever its case and the spaces around it.
    pub fn find(&self, cell: &str) -> Option<&str> {
        let cell = cell.trim();
        self.0.iter().find(|word| word.eq_ignore_ascii_case(cell)).map(String::as_str)
    }

    /// All of them.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Whether they are the usual ones.
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
