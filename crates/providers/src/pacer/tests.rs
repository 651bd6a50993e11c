mod handing_on;
mod waiting;
mod window;

use futures::future::join_all;
use ringfence_domain::lane::LimitKind;

use super::*;

fn limits(calls: &str, requests: &str) -> LaneLimits {
    LaneLimits {
        calls: calls.parse().expect("a rate"),
        requests: requests.parse().expect("a rate"),
        concurrent: 100,
        per_day: None,
    }
}

fn most_in_any(window: Duration, sent: &[Instant]) -> usize {
    sent.iter()
        .map(|start| sent.iter().filter(|at| **at >= *start && **at - *start < window).count())
        .max()
        .unwrap_or_default()
}

/// Spends permits as senders do: each on its own. Returns how many there were.
async fn spend(permits: Vec<Permit>) -> usize {
    join_all(permits.into_iter().map(Permit::spend)).await.len()
}

/// Sends as a worker does for 10 s: permits, a claim that takes its time, and each request on its own.
/// Returns when requests left.
async fn sent_by_a_worker(limits: &LaneLimits, claim: impl Fn(u64) -> Duration) -> Vec<Instant> {
    let pacer = Pacer::new(limits, None);
    let (begun, mut sending, mut round) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < Duration::from_secs(10) {
        let permits = pacer.permits(500, None, Duration::from_millis(50)).await;
        tokio::time::sleep(claim(round)).await;
        round += 1;
        sending.extend(permits.into_iter().map(|permit| {
            tokio::spawn(async move {
                permit.spend().await;
                Instant::now()
            })
        }));
    }
    let mut sent: Vec<Instant> = join_all(sending).await.into_iter().map(|at| at.expect("it left")).collect();
    sent.sort_unstable();
    sent
}

#[tokio::test(start_paused = true)]
async fn requests_leave_evenly_and_use_the_whole_limit_while_claims_take_their_time() {
    let limits = limits("100/s", "1000/s");
    let sent = sent_by_a_worker(&limits, |round| Duration::from_millis(round * 13 % 40)).await;
    assert!(sent.len() >= 995, "{} of 1000", sent.len());
    let gaps = sent.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) = (gaps.clone().min().expect("gaps"), gaps.max().expect("gaps"));
    assert!(shortest >= Duration::from_millis(9) && longest <= Duration::from_millis(11), "{shortest:?} {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_than_the_limit_after_claims_that_hung() {
    let limits = limits("100/s", "1000/s");
    let hangs = |round: u64| Duration::from_millis(if round % 7 == 3 { 150 } else { 5 });
    let sent = sent_by_a_worker(&limits, hangs).await;
    assert!((90..=100).contains(&most_in_any(Duration::from_secs(1), &sent)));
}

/// Asks, and dials, all the time for a minute. Returns the moments of calls and of questions.
async fn calls_and_questions(limits: &LaneLimits) -> (Vec<Instant>, Vec<Instant>) {
    let (pacer, end) = (Pacer::new(limits, None), Instant::now() + Duration::from_mins(1));
    let asking = pacer.clone();
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        while Instant::now() < end {
            asking.take().await;
            asked.push(Instant::now());
        }
        asked
    });
    let mut called = Vec::new();
    while Instant::now() < end {
        let permits = pacer.permits(500, None, Duration::from_millis(50)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        called.extend(permits.into_iter().map(|permit| {
            tokio::spawn(async move {
                permit.spend().await;
                Instant::now()
            })
        }));
    }
    let called = join_all(called).await.into_iter().map(|at| at.expect("it left")).collect();
    (called, asked.await.expect("asked"))
}

#[tokio::test(start_paused = true)]
async fn calls_leave_questions_their_part_and_questions_leave_calls_theirs() {
    for (calls, requests, per_minute) in
        [("100/s", "200/s", (6_000, 6_000)), ("60/min", "60/min", (40, 20)), ("100/s", "150/s", (6_000, 3_000))]
    {
        let limits = limits(calls, requests);
        let (called, asked) = calls_and_questions(&limits).await;
        let near = |n: usize, wanted: usize| n * 6 >= wanted * 5 && n <= wanted + 2 + wanted / 50;
        let seen = (called.len(), asked.len());
        assert!(near(seen.0, per_minute.0) && near(seen.1, per_minute.1), "{calls} of {requests}: {seen:?}");
        let all: Vec<Instant> = called.into_iter().chain(asked).collect();
        let (per, most) = (limits.requests.per().duration(), limits.requests.count() as usize);
        assert!(most_in_any(per, &all) <= most, "{requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_window_ever_holds_more_than_the_limit_however_late_permits_are_spent() {
    let pacer = Pacer::new(&limits("10/s", "60/min"), None);
    let mut sent = Vec::new();
    for round in 0..40_u64 {
        let permits = pacer.permits(7, None, Duration::from_millis(200)).await;
        assert!(!permits.is_empty());
        for (place, permit) in permits.into_iter().enumerate() {
            // A claim takes its time, and now and then refuses.
            tokio::time::sleep(Duration::from_millis(round * 37 % 180)).await;
            if (round + place as u64).is_multiple_of(5) {
                drop(permit);
            } else {
                permit.spend().await;
                sent.push(Instant::now());
            }
        }
        pacer.take().await;
        sent.push(Instant::now());
    }
    assert!(most_in_any(Duration::from_secs(1), &sent) <= 11, "ten calls and a poll");
    assert!(most_in_any(Duration::from_mins(1), &sent) <= 60);
    assert!(sent.len() > 60, "{}", sent.len());
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_also_reached() {
    let pacer = Pacer::new(&limits("50/s", "1000/s"), None);
    let start = Instant::now();
    for _ in 0..500 {
        for permit in pacer.permits(1, None, Duration::ZERO).await {
            permit.spend().await;
        }
    }
    let took = start.elapsed();
    assert!(took < Duration::from_millis(10_500), "500 calls at 50/s took {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_waits_out_what_the_last_one_may_have_spent() {
    let pacer = Pacer::new(&limits("10/s", "60/min"), Some(Span::from_secs(20)));
    let start = Instant::now();
    pacer.take().await;
    assert_eq!(start.elapsed().as_secs(), 40, "the last minute may have been full 20 s ago");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_says_what_it_used_spares_the_next_one_the_wait_and_no_window_overflows() {
    let limits = limits("100/s", "60/min");
    let start = Moment::from_secs(1_000);
    let begun = Instant::now();
    let now = || start + Span::from_millis(begun.elapsed().as_millis() as i64);
    let first = Pacer::new(&limits, None);
    let own = Some((CampaignId(1), "3/min".parse().expect("a rate")));
    let mut sent = Vec::new();
    for _ in 0..40 {
        first.take().await;
        sent.push(Instant::now());
    }
    spend(first.permits(2, own, Duration::from_secs(30)).await).await;
    let held = first.permits(1, None, Duration::ZERO).await;
    assert_eq!(first.spent(&limits, now()), None, "while a permit is out, nobody can say");
    drop(held);
    let spent = first.spent(&limits, now()).expect("what it used");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = Pacer::after(&spent, now());
    let before = Instant::now();
    for _ in 0..18 {
        second.take().await;
        sent.push(Instant::now());
    }
    assert!(before.elapsed() < Duration::from_secs(20), "18 of 60 were left: {:?}", before.elapsed());
    for _ in 0..60 {
        second.take().await;
        sent.push(Instant::now());
    }
    assert!(most_in_any(Duration::from_mins(1), &sent) <= 60);
    let third = Pacer::after(&spent, now());
    drop(third.permits(1, own, Duration::ZERO).await);
    let spent = first.spent(&limits, now()).expect("what it used");
    assert_eq!(spent.campaigns.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_timers_are_too_coarse_for_is_used_all_the_same() {
    let pacer = Pacer::new(&limits("20000/s", "50000/s"), None);
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < Duration::from_secs(1) {
        sent += spend(pacer.permits(500, None, Duration::from_millis(50)).await).await;
    }
    assert!((19_000..=20_500).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_campaigns_own_limit_is_kept_beside_the_lanes() {
    let pacer = Pacer::new(&limits("100/s", "100/s"), None);
    let own = Some((CampaignId(1), Rate::per_second(2)));
    let start = Instant::now();
    for _ in 0..10 {
        spend(pacer.permits(1, own, Duration::ZERO).await).await;
    }
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn questions_get_what_calls_leave_and_a_third_at_least() {
    for (calls, requests, a_second) in [("100/s", "200/s", 100), ("10/s", "1200/min", 10), ("100/s", "100/s", 33)] {
        assert_eq!(Pacer::new(&limits(calls, requests), None).questions_a_second(), a_second, "{calls} of {requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_no_permit_waits_for_none() {
    let pacer = Pacer::new(&limits("1/min", "60/min"), None);
    spend(pacer.permits(1, None, Duration::ZERO).await).await;
    let begun = Instant::now();
    assert!(pacer.permits(0, None, Duration::ZERO).await.is_empty());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_limit_that_calls_wait_for_is_named_until_they_wait_no_more() {
    let limits =
        LaneLimits { calls: Rate::per_second(10), requests: Rate::per_minute(3), concurrent: 10, per_day: None };
    let pacer = Pacer::new(&limits, None);
    let now = Moment::from_secs(1_000);
    assert_eq!(pacer.levels(now), LimitLevels::default());
    for _ in 0..2 {
        pacer.permits(1, None, Duration::ZERO).await.remove(0).spend().await;
    }
    // A question about a call takes the last request of the minute.
    pacer.take().await;
    let waiting = {
        let pacer = pacer.clone();
        tokio::spawn(async move { pacer.permits(1, None, Duration::ZERO).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    let levels = pacer.levels(now);
    // The second call waited for the minute, too: it is shared evenly.
    let since = now - Span::from_millis(20_100);
    assert_eq!(levels.limited, Some(Limited { by: LimitKind::Requests, since }));
    assert_eq!((levels.calls, levels.requests), (1, 3), "one call of the last second, all requests of the minute");
    waiting.await.expect("a permit").remove(0).spend().await;
    tokio::time::sleep(BREAK).await;
    assert_eq!(pacer.levels(now).limited, None, "nobody waits any more");
}
