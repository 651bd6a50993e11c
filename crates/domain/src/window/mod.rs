//! *When* a contact may be called: weekly hours, in one or several zones, as exact intervals of time.
//!
//! [`WeekTable`] is what people write. [`Calendar`] projects one or more of them onto the time line, intersects
//! them, keeps the guard before each closing, and answers "open now?" and "when does that change?".

mod calendar;
mod interval;
mod week;

pub use calendar::{Calendar, Hours, Verdict};
pub use interval::Interval;
pub use week::{HoursError, WeekTable};
