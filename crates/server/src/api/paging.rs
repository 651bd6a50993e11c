//! Lists, page by page. A cursor names the last row that was given, so that rows which come or go
//! meanwhile neither repeat nor hide others.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringfence_domain::RunId;
use ringfence_operations::changes;
use ringfence_store::ChangePlace;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, wrong};

/// Rows of a page that names no limit.
const USUAL: u32 = 50;
/// The most rows of a page.
const MOST: u32 = 1_000;
/// The form of cursors; others are refused.
const FORM: u8 = 1;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub(crate) data: Vec<T>,
    /// Where the next page begins: `?cursor=`. Null: there are no more.
    pub(crate) next_cursor: Option<String>,
    /// Where to go on the next time, as `updated_since`: on the last page of a list that was asked
    /// for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_until: Option<String>,
}

/// How much of a list is asked for, and from where.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) limit: u32,
    /// The last key that was given; none at the beginning.
    pub(crate) after: Option<String>,
    filter: u64,
}

impl Wanted {
    /// Reads the parameters of a list. `filter`: everything else that is asked for, with which a
    /// cursor must agree.
    pub(crate) fn of(limit: Option<u32>, cursor: Option<&str>, filter: impl Hash) -> Answer<Self> {
        let limit = limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(wrong("limit", format!("it must be 1 to {MOST}")));
        }
        let mut hasher = DefaultHasher::new();
        filter.hash(&mut hasher);
        let filter = hasher.finish();
        let after = cursor.map(|cursor| read(cursor, filter)).transpose()?;
        Ok(Self { limit, after, filter })
    }

    /// The last number that was given.
    pub(crate) fn after_number(&self) -> Answer<Option<i64>> {
        let parse = |text: &String| text.parse().map_err(|_| wrong("cursor", "it is none of this list"));
        self.after.as_ref().map(parse).transpose()
    }

    /// Makes the page of rows that were read, one more than asked for if there are more. `key`:
    /// what the next page begins after.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let has_more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| self.cursor(&key(last)));
        Page { data: rows, next_cursor, updated_until: None }
    }

    /// The place of a change that was given last.
    pub(crate) fn after_change(&self) -> Answer<Option<ChangePlace>> {
        let parse = |text: &String| {
            let numbers = text.split(':').map(|number| number.parse().ok()).collect::<Option<Vec<i64>>>()?;
            let [era, horizon, run, change, id] = numbers[..] else { return None };
            Some(ChangePlace { era, horizon, run: RunId(run), change, id })
        };
        let wrong = || wrong("cursor", "it is none of this list");
        self.after.as_ref().map(|text| parse(text).ok_or_else(wrong)).transpose()
    }

    /// Makes the page of rows that changed.
    pub(crate) fn changed<R, T: From<R>>(&self, changed: changes::Page<R>) -> Page<T> {
        let page = self.page(changed.rows, |(place, _)| {
            let ChangePlace { era, horizon, run, change, id } = place;
            format!("{era}:{horizon}:{run}:{change}:{id}")
        });
        let updated_until = page.next_cursor.is_none().then(|| changed.until.to_string());
        let data = page.data.into_iter().map(|(_, row)| T::from(row)).collect();
        Page { data, next_cursor: page.next_cursor, updated_until }
    }

    /// The cursor after a key.
    pub(crate) fn cursor(&self, key: &str) -> String {
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(&self.filter.to_be_bytes());
        bytes.extend_from_slice(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn read(cursor: &str, filter: u64) -> Answer<String> {
    let none = || wrong("cursor", "it is none that this list gave");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| none())?;
    let (head, key) = bytes.split_at_checked(9).ok_or_else(none)?;
    if head[0] != FORM {
        return Err(none());
    }
    if head[1..] != filter.to_be_bytes() {
        return Err(wrong("cursor", "it is of a list with other parameters"));
    }
    String::from_utf8(key.to_vec()).map_err(|_| none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_give_every_row_once(rows in prop::collection::btree_set(0..10_000_i64, 0..200), limit in 1..60_u32) {
            let (mut given, mut cursor) = (Vec::new(), None);
            loop {
                let wanted = Wanted::of(Some(limit), cursor.as_deref(), "waiting").expect("fine");
                let after = wanted.after_number().expect("a number");
                let next = rows.iter().copied().filter(|row| after.is_none_or(|after| *row > after));
                let page = wanted.page(next.take(limit as usize + 1).collect(), i64::to_string);
                prop_assert!(page.data.len() <= limit as usize);
                given.extend(page.data);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(given, rows.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_strange_cursor_is_refused(text in ".{0,40}") {
            if let Ok(wanted) = Wanted::of(None, Some(&text), "waiting") {
                prop_assert_eq!(wanted.cursor(&wanted.after.clone().expect("a key")), text);
            }
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = Wanted::of(None, None, "waiting").expect("fine").cursor("7");
        assert!(Wanted::of(None, Some(&cursor), "done").is_err());
        assert!(Wanted::of(Some(0), None, "").is_err());
        assert!(Wanted::of(Some(1_001), None, "").is_err());
    }
}
