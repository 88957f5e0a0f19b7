//! The letters of JSON: white space, punctuation, strings, numbers and the three words.

use super::{Doubt, Quick};

/// A string that was read.
pub(super) enum Text<'t> {
    /// It stands in the text as it is.
    Borrowed(&'t str),
    /// It has escapes.
    Owned(String),
}

/// A number that was read.
pub(super) enum Number<'t> {
    /// A whole one without a sign.
    Whole(u64),
    /// How another is spelled, which may not be a number.
    Other(&'t str),
}

impl<'t> Quick<'_, 't> {
    /// The byte at the reader's place.
    #[inline]
    pub(super) fn byte(&self) -> Result<u8, Doubt> {
        self.text.as_bytes().get(self.at).copied().ok_or(Doubt)
    }

    /// Goes on to the next byte that is no white space, and tells it.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Doubt> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Ok(byte),
            }
        }
    }

    /// Goes on behind a byte that must come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Doubt> {
        if self.peek()? != byte {
            return Err(Doubt);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another item follows before the bracket that `end`s them; goes on to it.
    #[inline]
    pub(super) fn another(&mut self, end: u8, first: &mut bool) -> Result<bool, Doubt> {
        let next = self.peek()?;
        if next == end {
            return Ok(false);
        }
        if std::mem::take(first) {
            return Ok(true);
        }
        self.expect(b',')?;
        // One comma too many is not JSON.
        if self.peek()? == end { Err(Doubt) } else { Ok(true) }
    }

    /// Goes on behind a word.
    pub(super) fn literal(&mut self, word: &str) -> Result<(), Doubt> {
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(Doubt);
        }
        self.at = end;
        Ok(())
    }

    /// Reads the number that begins here. One with a sign, a point or an exponent may not be one
    /// by the grammar.
    pub(super) fn number(&mut self) -> Result<Number<'t>, Doubt> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        let of = |b: &&u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(of).count();
        let number = self.text.get(self.at..self.at + length).ok_or(Doubt)?;
        self.at += length;
        let digits = number.as_bytes();
        let plain = match digits {
            [] => return Err(Doubt),
            [b'0', _, ..] => false,
            digits => digits.iter().all(u8::is_ascii_digit),
        };
        // What does not fit is a number with a point to `serde_json`.
        Ok(match number.parse() {
            Ok(whole) if plain => Number::Whole(whole),
            _ => Number::Other(number),
        })
    }

    /// Reads the string that begins here.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'t>, Doubt> {
        let start = self.at;
        self.at += 1;
        let plain = self.pass()?;
        if plain {
            let text = self.text.get(start + 1..self.at - 1).ok_or(Doubt)?;
            return Ok(Text::Borrowed(text));
        }
        self.rest()?;
        let quoted = self.text.get(start..self.at).ok_or(Doubt)?;
        Ok(Text::Owned(serde_json::from_str(quoted)?))
    }

    /// Goes on behind the string that begins here.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Result<(), Doubt> {
        self.at += 1;
        if self.pass()? { Ok(()) } else { self.rest() }
    }

    /// Goes on behind the quote that ends the string, or to the escape before it: whether it is
    /// the quote.
    #[inline]
    fn pass(&mut self) -> Result<bool, Doubt> {
        let bytes = self.text.as_bytes();
        while let Some(eight) = bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let found = special(u64::from_le_bytes(*eight));
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return self.stop();
            }
            self.at += 8;
        }
        while !matches!(self.byte()?, b'"' | b'\\' | 0..0x20) {
            self.at += 1;
        }
        self.stop()
    }

    #[inline]
    fn stop(&mut self) -> Result<bool, Doubt> {
        match self.byte()? {
            b'"' => {
                self.at += 1;
                Ok(true)
            }
            b'\\' => Ok(false),
            _ => Err(Doubt),
        }
    }

    /// Goes on behind the string from an escape in it.
    #[cold]
    fn rest(&mut self) -> Result<(), Doubt> {
        loop {
            self.at += 1;
            let hexadecimal = match self.byte()? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
                b'u' => 4,
                _ => return Err(Doubt),
            };
            self.at += 1;
            for _ in 0..hexadecimal {
                if !self.byte()?.is_ascii_hexdigit() {
                    return Err(Doubt);
                }
                self.at += 1;
            }
            if self.pass()? {
                return Ok(());
            }
        }
    }
}

/// The high bit of each byte that ends a run of plain letters: a quote, a backslash, a control
/// character. Bits above the lowest one may be wrong.
const fn special(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let control = eight.wrapping_sub(ONES * 0x20) & !eight;
    let quote = eight ^ (ONES * b'"' as u64);
    let slash = eight ^ (ONES * b'\\' as u64);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    (control | quote | slash) & HIGH
}
