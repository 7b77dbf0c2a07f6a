//! Lives of connections, and that they can be lived again.

use ws_testkit::simulation::{live, live_on_a_bad_line, live_with_each_call_failing};

#[test]
fn many_lives_keep_every_promise() {
    let (mut clean, mut messages) = (0, 0);
    for seed in 0..1_000 {
        let life = live(seed).unwrap_or_else(|broken| panic!("life {seed}: {broken:#?}"));
        clean += usize::from(life.is_clean);
        messages += life.messages;
    }
    assert!(clean > 400, "only {clean} lives ended with a Close on both sides");
    assert!(clean < 900, "nothing goes wrong in these lives");
    assert!(messages > 1_000, "only {messages} messages arrived");
}

#[test]
fn a_seed_lives_the_same_life_again() {
    for seed in 0..100 {
        let lives = [live(seed), live(seed)].map(|life| life.expect("a life"));
        assert_eq!(lives[0], lives[1], "{seed}");
    }
}

#[test]
fn a_bit_that_is_turned_over_is_found() {
    let found = (0..200).filter(|&seed| live_on_a_bad_line(seed).is_err()).count();
    assert!(found > 100, "only {found} of 200 lives broke a promise");
}

#[test]
fn whichever_call_fails_every_promise_is_kept() {
    let lives: u64 = (0..3)
        .map(|seed| {
            live_with_each_call_failing(seed)
                .unwrap_or_else(|(call, broken)| panic!("life {seed}, {call}: {broken:#?}"))
        })
        .sum();
    println!("{lives} lives, each with another call that fails");
    assert!(lives > 500, "only {lives} calls have failed");
}
