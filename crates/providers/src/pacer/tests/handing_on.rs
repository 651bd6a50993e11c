//! What one owner of a lane tells the next.

use tokio::time::advance;

use super::*;

/// One moment less than an hour, and than a minute.
const ALMOST_AN_HOUR: Duration = Duration::from_millis(3_599_999);
const ALMOST_A_MINUTE: Duration = Duration::from_millis(59_999);
const MOMENT: Duration = Duration::from_millis(1);

fn after_another(calls: &str, requests: &str) -> Arc<Pacer> {
    Pacer::new(&limits(calls, requests), Some(Span::from_secs(0)))
}

#[tokio::test(start_paused = true)]
async fn a_lane_can_be_handed_on_when_its_use_is_told_or_soon_over() {
    let first = |calls, requests| Pacer::new(&limits(calls, requests), None).can_be_handed_on();
    assert!(first("60/min", "200/min"), "all of it is told");
    assert!(first("20000/min", "20000/min"), "as many as are written down");
    assert!(!first("20001/min", "60/min") && !first("60/min", "20001/min"), "too many to write down");
    assert!(first("30000/s", "30000/s"), "the windows are short");
    assert!(!first("30000/s", "20001/min"), "one of the windows is short");
    let next = |calls, requests| after_another(calls, requests).can_be_handed_on();
    assert!(next("10/s", "20/s"), "what the owner before used is over in a second");
    assert!(!next("10/s", "60/min") && !next("60/min", "10/s"), "what the owner before used is not known in detail");
}

#[tokio::test(start_paused = true)]
async fn after_an_hour_nothing_counts_that_an_earlier_owner_may_have_used() {
    let limits = limits("60/min", "200/min");
    let pacer = after_another("60/min", "200/min");
    let now = Moment::from_secs(10_000);
    advance(ALMOST_AN_HOUR).await;
    assert!(!pacer.can_be_handed_on());
    assert_eq!(pacer.spent(&limits, now), None);
    advance(MOMENT).await;
    assert!(pacer.can_be_handed_on());
    let spent = pacer.spent(&limits, now).expect("nothing was used");
    assert_eq!((spent.calls, spent.requests), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_request_counts_and_is_told_as_long_as_its_window_lasts() {
    let limits = limits("60/min", "60/min");
    let pacer = Pacer::new(&limits, None);
    let now = Moment::from_secs(10_000);
    pacer.take().await;
    advance(ALMOST_A_MINUTE).await;
    assert_eq!(pacer.levels(now).requests, 1);
    let spent = pacer.spent(&limits, now).expect("what it used");
    assert_eq!(spent.requests, [now - Span::from_millis(59_999)]);
    assert_eq!(spent.calls, [], "a question is no call");
    advance(MOMENT).await;
    assert_eq!(pacer.levels(now).requests, 0);
    assert_eq!(pacer.spent(&limits, now).expect("what it used").requests, []);
}

#[tokio::test(start_paused = true)]
async fn what_an_owner_tells_counts_for_the_next_one() {
    let limits = limits("60/min", "60/min");
    let first = Pacer::new(&limits, None);
    let now = Moment::from_secs(10_000);
    spend(first.permits(1, None, Duration::ZERO).await).await;
    let spent = first.spent(&limits, now).expect("what it used");
    let levels = Pacer::after(&spent, now).levels(now);
    assert_eq!((levels.calls, levels.requests), (1, 1));
}
