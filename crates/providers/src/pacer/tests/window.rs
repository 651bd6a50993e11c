//! One window: how many it lets out, and when the next one may leave.

use super::super::window::FILLED;
use super::*;

const CALL: Purpose = Purpose::Call(None);

fn after(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

/// A window of 100 requests a second: one each 10 ms.
fn window() -> (Window, Instant) {
    (Window::new(Rate::per_second(100), None), Instant::now())
}

#[tokio::test(start_paused = true)]
async fn reserved_permits_fill_a_window_to_its_limit() {
    let (mut window, start) = (Window::new(Rate::per_second(2), None), Instant::now());
    for _ in 0..2 {
        let room = window.first_room(CALL, start).expect("there is room for two");
        window.reserve(CALL, room, start);
    }
    assert_eq!(window.first_room(CALL, start), Err(start + FILLED), "when there is room for a third is asked again");
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_was_asked_for_late_does_not_make_the_next_one_late() {
    let (mut window, start) = window();
    window.reserve(CALL, start, start);
    window.reserve(CALL, after(start, 13), after(start, 13));
    assert_eq!(window.first_room(CALL, start), Ok(after(start, 20)));
}

#[tokio::test(start_paused = true)]
async fn a_permit_of_a_later_moment_is_followed_as_evenly() {
    let (mut window, start) = window();
    window.reserve(CALL, after(start, 100), start);
    assert_eq!(window.first_room(CALL, start), Ok(after(start, 110)));
}

#[tokio::test(start_paused = true)]
async fn the_other_purpose_takes_its_part_once_it_has_had_its_turn() {
    let (window, start) = window();
    let mut window = window.shared(0.25);
    window.reserve(CALL, start, start);
    assert_eq!(window.first_room(CALL, start), Ok(after(start, 10)), "questions have had no turn yet");
    window.reserve(Purpose::Question, start, start);
    assert_eq!(window.first_room(Purpose::Question, start), Ok(after(start, 40)), "calls have had theirs");
}

#[tokio::test(start_paused = true)]
async fn a_window_without_parts_spaces_questions_as_evenly_as_calls() {
    let (mut window, start) = window();
    window.reserve(CALL, after(start, 50), start);
    window.reserve(Purpose::Question, start, start);
    assert_eq!(window.first_room(Purpose::Question, start), Ok(after(start, 10)));
}
