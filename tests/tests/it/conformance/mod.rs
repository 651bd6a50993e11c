//! Every transition of the store, on both databases.

mod both_schemas_are_one;
mod by_hand;
mod claims;
mod contact_pages;
mod events;
mod figures;
mod imports;
mod invariants;
mod lanes;
mod number_rules;
mod outcomes;
mod overlaps;
mod pace;
mod planner;
mod planning;
mod quarantine;
mod records;
mod releases;
mod reports;
mod schedules;
mod slots;
mod sqlite_log;
mod stop_switches;
mod verdicts;
mod watching;
mod zone_data;
