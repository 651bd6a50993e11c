//! Kinds of numbers that cost more than a call, or reach no person.
//!
//! The kinds are libphonenumber's, which takes some shared-cost numbers for premium ones (some
//! of +44 84…). An import and `test-call` judge the kind of a number; a do-not-call list does not.

use rlibphonenumber::PhoneNumberType;

use crate::words::words;

words! {
    /// A kind of number that nobody is called on unless the campaign names it. Landlines, mobiles,
    /// VoIP and toll-free numbers are of no such kind.
    NumberKind {
        /// The callee is paid by the caller: +1 900, +44 9…, +979.
        Premium = "premium",
        /// The caller pays a part beyond the call: +44 84…, +808.
        SharedCost = "shared_cost",
        /// Satellite and international networks: +870, +881, +882, +883.
        Satellite = "satellite",
        /// It follows a person at the caller's cost: +44 70…, +1 500, +878.
        Personal = "personal",
        /// A pager.
        Pager = "pager",
        /// One number of a company for all of its places: +44 3…, +888.
        CompanyWide = "uan",
        /// A mailbox.
        Voicemail = "voicemail",
    }
}

/// Calling codes of satellite and international networks, which libphonenumber takes for mobiles
/// and VoIP.
const SATELLITE: [i32; 4] = [870, 881, 882, 883];

impl NumberKind {
    /// Returns the kind of a number of this type under this calling code.
    pub(super) fn of_plan(kind: PhoneNumberType, calling_code: i32) -> Option<Self> {
        if SATELLITE.contains(&calling_code) {
            return Some(Self::Satellite);
        }
        // By its use: libphonenumber takes universal personal numbers for VoIP.
        if calling_code == 878 {
            return Some(Self::Personal);
        }
        match kind {
            PhoneNumberType::PremiumRate => Some(Self::Premium),
            PhoneNumberType::SharedCost => Some(Self::SharedCost),
            PhoneNumberType::PersonalNumber => Some(Self::Personal),
            PhoneNumberType::Pager => Some(Self::Pager),
            PhoneNumberType::UAN => Some(Self::CompanyWide),
            PhoneNumberType::VoiceMail => Some(Self::Voicemail),
            PhoneNumberType::FixedLine
            | PhoneNumberType::Mobile
            | PhoneNumberType::FixedLineOrMobile
            | PhoneNumberType::TollFree
            | PhoneNumberType::VoIP
            | PhoneNumberType::Unknown => None,
        }
    }

    /// Returns a sentence about what it is.
    pub const fn described(self) -> &'static str {
        match self {
            Self::Premium => "a premium-rate number",
            Self::SharedCost => "a shared-cost number",
            Self::Satellite => "a number of a satellite or international network",
            Self::Personal => "a personal number that is forwarded at the caller's cost",
            Self::Pager => "a pager",
            Self::CompanyWide => "a company-wide access number (UAN)",
            Self::Voicemail => "a mailbox",
        }
    }
}
