//! `[safety]`: the rails that hold a campaign until a person accepts.

use ringfence_domain::safety::Safety;

use crate::section::Section;

pub(super) fn safety(mut section: Section<'_>) -> Safety {
    let default = Safety::default();
    let safety = Safety {
        min_contacts: section.integer("min_contacts", 1..=u32::MAX),
        max_contacts: section.integer("max_contacts", 1..=u32::MAX),
        max_rejected: section.parsed("max_rejected").unwrap_or(default.max_rejected),
        max_missing: section.parsed("max_missing").unwrap_or(default.max_missing),
        max_file_age: section.parsed("max_file_age"),
        // They are sent ahead in one write, which is to be a short one; more calls would prove
        // nothing more.
        canary: section.integer("canary", 1..=1_000),
        stop_at_failures: section.parsed("stop_at_failures").unwrap_or(default.stop_at_failures),
    };
    section.finish();
    safety
}
