//! The do-not-call list.

use ringfence_domain::{CampaignId, NumberKey, RunId};

use super::transitions;
use crate::dnc;
use crate::dnc::{DncEntry, DncList, DncListId, DncRow};

transitions! {
    /// Begins a list of numbers of one source.
    stop_switch begin_dnc(list: DncList) -> DncListId = |session| dnc::begin(session, &list);
    /// Adds numbers to their lists, from the very next claim on; how many are new.
    in_parts add_dnc(numbers: Vec<DncEntry>) -> u64 = |database| dnc::add(database, numbers);
    /// Takes a number off the list of everyone, or of one campaign; false when it was not on it.
    write remove_dnc(number: NumberKey, campaign: Option<CampaignId>) -> bool =
        |session| dnc::remove(session, number, campaign);
    /// The entries of a number: of everyone first, then of single campaigns.
    read dnc_entries(number: NumberKey) -> Vec<DncRow> = |session| dnc::find(session, number);
    /// How many who wait in a run are on the list, of everyone or of its campaign. None when the list
    /// and those who wait both are `most` or more.
    read waiting_on_dnc(run: RunId, most: i64) -> Option<i64> = |session| dnc::waiting(session, run, most);
    /// The next entries of everyone, or of one campaign, after this key, in the order of the keys.
    read dnc_page(campaign: Option<CampaignId>, after: i64, limit: u32) -> Vec<DncRow> =
        |session| dnc::page(session, campaign, after, limit);
}
