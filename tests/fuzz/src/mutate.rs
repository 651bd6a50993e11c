//! Changed inputs, from a seed.

use fastrand::Rng;

/// What readers tend to stumble over.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\"",
    b"'",
    b"\\",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b",",
    b";",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"=",
    b"-",
    b"+",
    b"%",
    b"/",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1e999",
    b"0.1",
    b"NaN",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xC3",
    b"\xF0\x9F\x93\x9E",
    "\u{202E}".as_bytes(),
    "\u{0661}\u{0662}".as_bytes(),
    "\u{FF11}".as_bytes(),
    b"2026-02-29",
    b"24:00",
    b"9999-12-31T23:59:60Z",
    b"Asia/Kolkata",
    b"+91",
    b"1970-01-01T00:00:00Z",
];

/// Inputs of at most this length, in bytes.
const LONGEST: usize = 64 * 1024;

/// Makes inputs from others.
#[derive(Debug)]
pub struct Mutator {
    rng: Rng,
    inputs: Vec<Vec<u8>>,
}

impl Mutator {
    /// One that begins from these inputs.
    pub fn new(seed: u64, inputs: Vec<Vec<u8>>) -> Self {
        Self { rng: Rng::with_seed(seed), inputs }
    }

    /// The next input: one of those that it began from, with a few changes.
    pub fn changed(&mut self) -> Vec<u8> {
        let mut input = self.any();
        for _ in 0..self.rng.usize(1..=4) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn any(&mut self) -> Vec<u8> {
        self.rng.choice(&self.inputs).cloned().unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let place = self.rng.usize(0..=input.len());
        let length = self.rng.usize(0..=(input.len() - place).min(40));
        let part = place..place + length;
        match self.rng.u8(0..7) {
            0 if place < input.len() => input[place] ^= 1 << self.rng.u8(0..8),
            1 => drop(input.drain(part)),
            2 => {
                let again = input[part].repeat(self.rng.usize(1..=60));
                input.splice(place..place, again);
            }
            3 => input.truncate(place),
            4 => {
                let other = self.any();
                let from = self.rng.usize(0..=other.len());
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
            5 => {
                let bytes: Vec<u8> = (0..self.rng.usize(1..8)).map(|_| self.rng.u8(..)).collect();
                input.splice(part, bytes);
            }
            _ => {
                let piece = self.rng.choice(PIECES).copied().unwrap_or_default();
                input.splice(part, piece.iter().copied());
            }
        }
    }
}
