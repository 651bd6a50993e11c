//! Verdicts out of rows: the claim decides by them, and everybody who explains a claim shows them.

use ringfence_domain::verdict::{Stopped, Verdict};
use ringfence_domain::{ClockReading, Rate};

use crate::database::KnownAs;
use crate::lanes::rows::LaneRow;

/// What holds everyone on a lane, whatever the campaign.
pub(crate) fn of_lane(stopped: Option<Stopped>, lane: &LaneRow, reading: ClockReading) -> [Verdict; 4] {
    [
        Verdict::Clock,
        Verdict::Stop { stopped },
        Verdict::Lane { name: lane.settings.name.clone(), state: lane.state, reason: lane.reason.clone() },
        Verdict::of_rest(lane.backoff_until, lane.backoff_reason.as_deref(), reading),
    ]
}

/// Whether the lane may make another call today.
pub(crate) fn lane_day(lane: &LaneRow, left: Option<u32>, reading: ClockReading) -> Verdict {
    Verdict::LaneDay { left, tomorrow: reading.now.next_day(lane.settings.timezone) }
}

/// The wait for what the lane's last owner may have used of the limits. `own`: the campaign's own
/// limit of calls.
pub(crate) fn unknown_use(lane: &LaneRow, own: Option<Rate>, reading: ClockReading) -> Verdict {
    let limits = &lane.settings.limits;
    let longest = [Some(limits.calls), Some(limits.requests), own].into_iter().flatten().map(Rate::per).max();
    // A later moment than the present is from a clock that was set back since.
    let is_owed = lane.owner.is_some() && lane.unsaid_until <= reading.now;
    let until = longest.map(|longest| lane.unsaid_until + longest);
    Verdict::UnknownUse { until: until.filter(|until| is_owed && *until > reading.now) }
}

/// Whether a process dials the lane.
pub(crate) fn process(lane: &LaneRow, reading: ClockReading) -> Verdict {
    let last = lane.last_owner.as_deref().and_then(KnownAs::of).map(|last| (last.host, lane.lease_until));
    let dials = lane.owner.is_some() && lane.lease_until > reading.now;
    Verdict::Process { lane: lane.settings.name.clone(), dials, last }
}

#[cfg(test)]
mod tests {
    use ringfence_domain::lane::{LaneLimits, LaneSettings, LimitLevels};
    use ringfence_domain::{LaneId, LaneState, Moment, Zone};

    use super::*;

    const NOW: i64 = 1_000;

    fn at(seconds: i64) -> Moment {
        Moment::from_secs(seconds)
    }

    fn lane() -> LaneRow {
        LaneRow {
            id: LaneId(1),
            settings: LaneSettings {
                name: "main".to_owned(),
                kind: "sandbox".to_owned(),
                limits: LaneLimits {
                    calls: Rate::per_second(5),
                    requests: Rate::per_minute(60),
                    concurrent: 3,
                    per_day: None,
                },
                hours: None,
                timezone: "Asia/Kolkata".parse().expect("a zone"),
                lower_priorities: LaneSettings::LOWER_PRIORITIES,
            },
            state: LaneState::Paused,
            reason: Some("a look".to_owned()),
            backoff_until: at(NOW + 7),
            backoff_reason: Some("throttled".to_owned()),
            consecutive_failures: 0,
            epoch: 1,
            owner: Some("serve/1/17/5000/dialer-1".to_owned()),
            last_owner: Some("serve/1/17/5000/dialer-1".to_owned()),
            levels: LimitLevels::default(),
            lease_until: at(NOW + 1),
            usual_call: None,
            unsaid_until: at(NOW - 10),
        }
    }

    fn reading() -> ClockReading {
        ClockReading::exact(at(NOW))
    }

    #[test]
    fn what_holds_a_lane_is_its_own() {
        let stopped = Some(Stopped { by: ringfence_domain::verdict::StoppedBy::Person, reason: "stop".to_owned() });
        let verdicts = of_lane(stopped.clone(), &lane(), reading());
        let name = "main".to_owned();
        let expected = [
            Verdict::Clock,
            Verdict::Stop { stopped },
            Verdict::Lane { name, state: LaneState::Paused, reason: Some("a look".to_owned()) },
            Verdict::Rest { until: Some(at(NOW + 7)), reason: Some("throttled".to_owned()) },
        ];
        assert_eq!(verdicts, expected);
        let midnight = at(NOW).next_day("Asia/Kolkata".parse::<Zone>().expect("a zone"));
        assert_eq!(lane_day(&lane(), Some(4), reading()), Verdict::LaneDay { left: Some(4), tomorrow: midnight });
    }

    #[test]
    fn what_a_lanes_last_owner_may_have_used_is_waited_for() {
        let until = |lane: LaneRow, own: Option<Rate>| match unknown_use(&lane, own, reading()) {
            Verdict::UnknownUse { until } => until.map(Moment::secs),
            other => panic!("{other:?}"),
        };
        let since = |seconds: i64| LaneRow { unsaid_until: at(seconds), ..lane() };
        // The longest limit is that of requests, of a minute.
        assert_eq!(until(since(NOW - 10), None), Some(NOW + 50));
        assert_eq!(until(since(NOW - 59), None), Some(NOW + 1));
        assert_eq!(until(since(NOW - 60), None), None, "it is over");
        assert_eq!(until(since(NOW), None), Some(NOW + 60));
        assert_eq!(until(since(NOW + 1), None), None, "a clock that was set back since");
        assert_eq!(until(since(NOW - 10), Some("1/h".parse().expect("a rate"))), Some(NOW + 3_590));
        assert_eq!(until(LaneRow { owner: None, ..lane() }, None), None, "nobody dials it");
    }

    #[test]
    fn a_lane_is_dialled_while_its_owner_holds_the_lease() {
        let of = |lane: LaneRow| match process(&lane, reading()) {
            Verdict::Process { lane, dials, last } => {
                assert_eq!(lane, "main");
                (dials, last)
            }
            other => panic!("{other:?}"),
        };
        let last = |until| Some(("dialer-1".to_owned(), at(until)));
        assert_eq!(of(lane()), (true, last(NOW + 1)));
        assert_eq!(of(LaneRow { lease_until: at(NOW), ..lane() }), (false, last(NOW)));
        assert_eq!(of(LaneRow { owner: None, ..lane() }), (false, last(NOW + 1)));
        assert_eq!(of(LaneRow { owner: None, last_owner: None, ..lane() }), (false, None));
    }
}
