//! Every input that is kept, and changed ones, go through every reader.

use std::alloc::System;

use cap::Cap;
use ringfence_fuzz::{Mutator, TARGETS, Target};

/// The most memory that a test may take, in bytes: no input is larger than 64 KiB.
const MEMORY: usize = 512 * 1024 * 1024;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

fn holds(name: &str) {
    let target = Target::named(name).expect("a target");
    let inputs = target.inputs();
    assert!(inputs.len() >= 5, "{name} begins from {} inputs", inputs.len());
    ALLOCATOR.set_limit(MEMORY).expect("a limit");
    for input in &inputs {
        read(target, input);
    }
    let mut mutator = Mutator::new(1, inputs);
    for _ in 0..target.tries {
        read(target, &mutator.changed());
    }
}

/// Reads an input; says which one it was when it fails.
fn read(target: Target, input: &[u8]) {
    struct Tell<'a>(&'a [u8]);
    impl Drop for Tell<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let path = std::env::temp_dir().join("ringfence-fuzz-input");
                let kept = std::fs::write(&path, self.0);
                let text = String::from_utf8_lossy(self.0);
                say(&format!("this input breaks it, kept in {} ({kept:?}):\n{text}", path.display()));
            }
        }
    }
    let tell = Tell(input);
    (target.read)(input);
    drop(tell);
}

#[expect(clippy::print_stderr, reason = "a failing test says which input it was")]
fn say(text: &str) {
    eprintln!("{text}");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn every_target_is_tried() {
            let tried = [$(stringify!($name)),*];
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(tried.as_slice(), all);
        }
    };
}

targets! {
    answers reports api contacts json_contacts campaign configuration hours number cron callback template amounts
}

/// Somebody who adds an operation gives it a request to begin from.
#[test]
fn every_operation_of_the_api_has_an_input() {
    let inputs = Target::named("api").expect("a target").inputs();
    let heads: Vec<String> = inputs
        .iter()
        .map(|input| String::from_utf8_lossy(input).lines().next().unwrap_or_default().to_owned())
        .collect();
    let begins_with = |method: &str, path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        heads.iter().any(|head| {
            let mut words = head.split(' ');
            let theirs = words.next() == Some(method);
            let path = words.next().unwrap_or_default().split('?').next().unwrap_or_default();
            let path: Vec<&str> = path.split('/').collect();
            let fits = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
            theirs && path.len() == parts.len() && parts.iter().zip(&path).all(fits)
        })
    };
    let missing: Vec<_> =
        ringfence_fuzz::operations().into_iter().filter(|(method, path)| !begins_with(method, path)).collect();
    assert!(missing.is_empty(), "no request in corpus/api for {missing:?}");
}
