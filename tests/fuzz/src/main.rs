//! Looks for inputs that reach new code, with libFuzzer: <https://llvm.org/docs/LibFuzzer.html>. The
//! variable `RINGFENCE_FUZZ` names the target.
#![no_main]

use std::sync::LazyLock;

use ringfence_fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("RINGFENCE_FUZZ").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("RINGFENCE_FUZZ={name} names no target"))
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.read)(input));
