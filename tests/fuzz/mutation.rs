//! What becomes of a text or of bytes after a few malicious changes, decided by a seed alone.

/// A stream of numbers: SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What careless and malicious authors put anywhere.
const DEBRIS: [&str; 38] = [
    "-1",
    "0",
    "1e39",
    "1e-39",
    "NaN",
    "inf",
    "1e999",
    "18446744073709551616",
    "4294967296",
    "65536",
    "None",
    "Some(",
    "r#\"",
    "/*",
    "*/",
    "//",
    "'",
    "\\",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\u{fc}",
    "\u{1F9EC}",
    "\u{1b}[2J",
    "\0",
    "\n",
    "Hours(-1)",
    "0x",
    "#![enable(implicit_some)]",
    "..",
    "((((((((((((((((",
    "../../etc/passwd",
];

/// A text after one to five changes: pieces are left out, doubled, moved, replaced by debris, numbers by other numbers.
pub fn mutated(text: &str, dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    for _ in 0..=dice.below(5) {
        if text.is_empty() {
            return text;
        }
        let boundary = |at: usize, text: &str| {
            (0..=at)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0)
        };
        let start = boundary(dice.below(text.len() + 1), &text);
        let length = 1 << dice.below(9);
        let end = boundary((start + length).min(text.len()), &text).max(start);
        match dice.below(6) {
            0 => text.replace_range(start..end, ""),
            1 => {
                let piece = text[start..end].to_owned();
                text.insert_str(end, &piece);
            }
            2 => {
                let piece = text[start..end].to_owned();
                text.replace_range(start..end, "");
                let to = boundary(dice.below(text.len() + 1), &text);
                text.insert_str(to, &piece);
            }
            3 => {
                let debris: &str = dice.pick::<&str>(&DEBRIS);
                text.insert_str(start, debris);
            }
            _ => {
                // A number, as the grammar is right then and the meaning is not.
                let digits = |c: char| c.is_ascii_digit();
                if let Some(found) = text[start..].find(digits).map(|at| at + start) {
                    let rest = &text[found..];
                    let end = rest
                        .find(|c: char| !digits(c) && c != '.')
                        .unwrap_or(rest.len());
                    let number: &str = dice.pick::<&str>(&DEBRIS[..11]);
                    text.replace_range(found..found + end, number);
                }
            }
        }
    }
    text
}

/// Bytes after one to eight changes.
pub fn mutated_bytes(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(8) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = dice.below(bytes.len());
        match dice.below(6) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = 0xff,
            2 => bytes[at] = 0,
            3 => {
                let end = (at + (1 << dice.below(8))).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + (1 << dice.below(8))).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                // A number of four bytes, as most states are made of them.
                let value = *dice.pick(&[f32::NAN, f32::INFINITY, -1.0, 1e30, f32::MIN_POSITIVE]);
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
            }
        }
    }
    bytes
}
