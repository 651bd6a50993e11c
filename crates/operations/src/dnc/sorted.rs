//! Numbers in the order of their keys, in small memory: the list is a tree by key, and what comes
//! in its order touches each page once. In the order of a file, where every key is somewhere else,
//! ten million take hours.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};

use ringfence_domain::{NumberKey, PhoneNumber};

/// Parts by the first byte of the key, so that one of ten million numbers has some forty thousand.
const PARTS: usize = 256;

/// A number, and the place of its origin.
pub(super) type Placed = (NumberKey, u32, PhoneNumber);

/// Numbers on their way into order, in unnamed temporary files that go away by themselves.
pub(super) struct Sorted {
    parts: Vec<BufWriter<File>>,
}

impl Sorted {
    pub(super) fn begin() -> std::io::Result<Self> {
        let part = |_| Ok(BufWriter::with_capacity(1 << 13, tempfile::tempfile()?));
        Ok(Self { parts: (0..PARTS).map(part).collect::<std::io::Result<_>>()? })
    }

    /// Takes a number with the place of its origin.
    pub(super) fn add(&mut self, key: NumberKey, number: &PhoneNumber, origin: u32) -> std::io::Result<()> {
        // Signed keys sort as their bits do once the sign is turned.
        let place = ((key.0 ^ i64::MIN).cast_unsigned() >> 56) as usize;
        let digits = number.e164().as_bytes();
        let part = &mut self.parts[place];
        part.write_all(&key.0.to_le_bytes())?;
        part.write_all(&origin.to_le_bytes())?;
        part.write_all(&[digits.len() as u8])?;
        part.write_all(digits)
    }

    /// The parts in order, each sorted by key; of a number that came twice, the first origin first.
    pub(super) fn parts(self) -> impl Iterator<Item = std::io::Result<Vec<Placed>>> {
        self.parts.into_iter().map(read_back)
    }
}

fn read_back(part: BufWriter<File>) -> std::io::Result<Vec<Placed>> {
    use std::io::Seek;
    let mut file = part.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.rewind()?;
    let mut file = BufReader::new(file);
    let mut numbers = Vec::new();
    let mut head = [0; 13];
    loop {
        match file.read_exact(&mut head) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            read => read?,
        }
        let (key, rest) = head.split_at(8);
        let (origin, length) = rest.split_at(4);
        let mut digits = vec![0; usize::from(length[0])];
        file.read_exact(&mut digits)?;
        let number = String::from_utf8(digits).ok().and_then(|digits| PhoneNumber::from_e164(&digits));
        let number = number.ok_or_else(|| std::io::Error::other("a temporary file was changed"))?;
        let key = NumberKey(i64::from_le_bytes(key.try_into().expect("eight bytes")));
        numbers.push((key, u32::from_le_bytes(origin.try_into().expect("four bytes")), number));
    }
    numbers.sort_unstable_by_key(|(key, origin, _)| (*key, *origin));
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_once_and_in_order() {
        let mut sorted = Sorted::begin().expect("temporary files");
        let number = |n: i64| PhoneNumber::from_e164(&format!("+9198{n:08}")).expect("a number");
        let keys = [5, -5, i64::MIN, i64::MAX, 0, -1, 1 << 60, -(1 << 60), 42];
        for (n, key) in keys.iter().enumerate() {
            sorted.add(NumberKey(*key), &number(n as i64), 7).expect("written");
        }
        let all: Vec<_> = sorted.parts().flat_map(|part| part.expect("read")).collect();
        let mut expected = keys.to_vec();
        expected.sort_unstable();
        assert_eq!(all.iter().map(|(key, ..)| key.0).collect::<Vec<_>>(), expected);
        assert!(all.contains(&(NumberKey(42), 7, number(8))));
    }
}
