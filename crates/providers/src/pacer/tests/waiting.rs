//! Since when calls have waited for a limit.

use super::*;

const CALL: Purpose = Purpose::Call(None);

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

/// Returns since when calls have waited for their limit of one a minute, and the wait's begin: they waited for a minute,
/// one left, and the next one waits from so many seconds after that.
fn waiting_again_after(seconds: u64) -> (Instant, Instant) {
    let start = Instant::now();
    let calls = Window::new(Rate::per_minute(1), None);
    let mut windows = Windows::new(calls, Window::new(Rate::per_second(100), None), HashMap::new());
    for minute in [0, 60] {
        windows.reserve(CALL, after(start, minute), Duration::ZERO).expect("one a minute");
        windows.spend(CALL, after(start, minute));
        if minute == 0 {
            for second in [0, 10] {
                windows.reserve(CALL, after(start, second), Duration::ZERO).expect_err("the second of the minute");
                assert_eq!(windows.waits.expect("it waits").since, start);
            }
        }
    }
    windows.reserve(CALL, after(start, 60 + seconds), Duration::ZERO).expect_err("the second of the minute");
    (windows.waits.expect("it waits").since, start)
}

#[tokio::test(start_paused = true)]
async fn a_wait_goes_on_over_a_short_break() {
    let (since, start) = waiting_again_after(4);
    assert_eq!(since, start);
}

#[tokio::test(start_paused = true)]
async fn a_wait_begins_anew_after_a_long_break() {
    let (since, start) = waiting_again_after(5);
    assert_eq!(since, after(start, 65));
}
