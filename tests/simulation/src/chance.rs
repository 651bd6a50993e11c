//! Where the process gets its random numbers from: the order of hash maps, identifiers, which of
//! two tasks goes first. In place of the kernel the seed answers, for each thread by its name from
//! its beginning, because threads do not take turns.
#![expect(unsafe_code, reason = "it takes the place of a function of the C library, which is there for that")]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

static SEED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// All chance of the threads that begin from now on comes from this seed.
pub fn begin(seed: u64) {
    SEED.store(seed, Ordering::SeqCst);
    // It is named, so that the linker takes it.
    std::hint::black_box(getrandom as *const ());
}

/// Where a thread begins: two of them must not make the same identifiers.
fn first() -> u64 {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default().bytes();
    // FNV-1a: <http://www.isthe.com/chongo/tech/comp/fnv/>
    let name = name.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    SEED.load(Ordering::SeqCst) ^ name
}

/// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>
fn next() -> u64 {
    STATE.with(|state| {
        let at = state.get().unwrap_or_else(first).wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(Some(at));
        let mixed = (at ^ (at >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

/// The function of the C library, which the standard library and others call by this name:
/// <https://man7.org/linux/man-pages/man2/getrandom.2.html>
#[unsafe(no_mangle)]
extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    if length == 0 {
        return 0;
    }
    // SAFETY: who calls gives a buffer of this length that it may be written to.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, length) };
    for part in buffer.chunks_mut(8) {
        part.copy_from_slice(&next().to_le_bytes()[..part.len()]);
    }
    length as isize
}
