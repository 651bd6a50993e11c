//! Since when, from where and why each number of a file is on the list: as its row says, where it
//! has columns of these names, as what `ringfence dnc list` prints has.

use std::collections::HashMap;

use ringfence_domain::Moment;
use ringfence_intake::Record;
use ringfence_store::DncList;

use crate::spreadsheet::restored;

/// The most different origins that are kept of one file.
const MOST: usize = 10_000;

/// Letters that are kept of them.
const LONGEST_SOURCE: usize = 200;
const LONGEST_REASON: usize = 1_000;

fn cut(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect()
}

/// The origins of the numbers of one file.
pub(super) struct Origins {
    added_at: Option<usize>,
    source: Option<usize>,
    reason: Option<usize>,
    places: HashMap<DncList, u32>,
    lists: Vec<DncList>,
    /// Rows whose date cannot be read.
    pub(super) undated: u64,
    /// Rows whose origin was one too many.
    pub(super) left_out: u64,
}

impl Origins {
    /// Origins in the columns of a file; `given` is that of rows that say nothing.
    pub(super) fn of(columns: &[String], given: DncList) -> Self {
        let column = |name: &str| columns.iter().position(|column| column == name);
        Self {
            added_at: column("added_at"),
            source: column("source"),
            reason: column("reason"),
            places: HashMap::from([(given.clone(), 0)]),
            lists: vec![given],
            undated: 0,
            left_out: 0,
        }
    }

    /// The place of a row's origin among all.
    pub(super) fn place(&mut self, record: Record<'_>) -> u32 {
        let cell = |place: Option<usize>| {
            let text = restored(record.text(place?).trim());
            (!text.is_empty()).then_some(text)
        };
        let mut list = self.lists[0].clone();
        match cell(self.added_at).map(|text| text.parse::<Moment>()) {
            // A number cannot be on the list since tomorrow.
            Some(Ok(at)) => list.added_at = at.min(list.added_at),
            Some(Err(_)) => self.undated += 1,
            None => {}
        }
        list.source = cell(self.source).map(|text| cut(&text, LONGEST_SOURCE)).or(list.source);
        list.reason = cell(self.reason).map(|text| cut(&text, LONGEST_REASON)).or(list.reason);
        if let Some(place) = self.places.get(&list) {
            return *place;
        }
        if self.lists.len() == MOST {
            self.left_out += 1;
            return 0;
        }
        let place = self.lists.len() as u32;
        self.places.insert(list.clone(), place);
        self.lists.push(list);
        place
    }

    /// All origins, each at its place.
    pub(super) fn into_lists(self) -> Vec<DncList> {
        self.lists
    }
}
