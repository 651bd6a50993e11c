//! Since when calls have waited for a limit.

use super::*;

const CALL: Purpose = Purpose::Call(None);

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

/// A lane whose limit is one call a minute.
fn lane() -> (Windows, Instant) {
    let (calls, requests) = (Rate::per_minute(1), Rate::per_second(100));
    (Windows::new(Window::new(calls, None), Window::new(requests, None), HashMap::new()), Instant::now())
}

/// A call leaves at this moment.
fn call(lane: &mut Windows, at: Instant) {
    lane.reserve(CALL, at, Duration::ZERO).expect("the minute has room");
    lane.spend(CALL, at);
}

/// A call has no room at this moment. Returns since when calls have waited.
fn waits(lane: &mut Windows, at: Instant) -> Instant {
    lane.reserve(CALL, at, Duration::ZERO).expect_err("the minute is full");
    lane.waits.expect("calls wait").since
}

/// Calls wait through a minute, and one leaves at its end. Returns since when they wait if the next one asks so many
/// seconds later, counted from the first one's start.
fn waiting_again_after(seconds: u64) -> u64 {
    let (mut lane, start) = lane();
    call(&mut lane, start);
    assert_eq!(waits(&mut lane, start), start);
    assert_eq!(waits(&mut lane, after(start, 10)), start);
    call(&mut lane, after(start, 60));
    (waits(&mut lane, after(start, 60 + seconds)) - start).as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_wait_goes_on_over_a_short_break() {
    assert_eq!(waiting_again_after(4), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_begins_anew_after_a_long_break() {
    assert_eq!(waiting_again_after(5), 65);
}
