//! The window of a contact: hours of weekdays and dates, closed days, in one or several zones, as
//! exact intervals of time.
//!
//! [`Timetable`] is the text that people write. [`Calendar`] projects one or more of them onto the
//! time line, intersects them, keeps the guard before each closing, and answers "open now?" and
//! "when does that change?".

mod calendar;
mod closures;
mod holidays;
mod interval;
mod reading;
mod slips;
mod timetable;

pub use calendar::{Calendar, Hours, Openness};
pub use closures::Closures;
pub use holidays::{Holidays, HolidaysError};
pub use interval::Interval;
pub use reading::HoursError;
pub use timetable::Timetable;
