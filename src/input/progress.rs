//! Readers that count, and readers that look ahead.

use super::Progress;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what all threads read and tells the caller now and then.
pub(super) struct Meter<'a> {
    read: AtomicU64,
    total: u64,
    tell: &'a (dyn Fn(Progress) + Sync),
}

impl<'a> Meter<'a> {
    pub(super) fn new(total: u64, tell: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self { read: AtomicU64::new(0), total, tell }
    }

    fn add(&self, count: usize) {
        /// Once in so many bytes, as a power of two.
        const STEP: u32 = 20;
        let before = self.read.fetch_add(count as u64, Ordering::Relaxed);
        let read = before + count as u64;
        if before >> STEP != read >> STEP {
            // What is read again counts, so the sum may be too large.
            let read = if self.total > 0 { read.min(self.total) } else { read };
            (self.tell)(Progress { read, total: self.total });
        }
    }
}

/// A reader that is counted.
pub(super) struct Metered<'a, R> {
    inner: R,
    meter: &'a Meter<'a>,
}

impl<'a, R> Metered<'a, R> {
    pub(super) const fn new(inner: R, meter: &'a Meter<'a>) -> Self {
        Self { inner, meter }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.add(count);
        Ok(count)
    }
}

/// A reader whose first bytes are known before they are read.
pub(super) struct Peek<R> {
    head: Vec<u8>,
    given: usize,
    inner: R,
}

/// As much as the header of a tar archive.
const HEAD: u64 = 512;

impl<R: Read> Peek<R> {
    pub(super) fn new(mut inner: R) -> io::Result<Self> {
        let mut head = Vec::new();
        (&mut inner).take(HEAD).read_to_end(&mut head)?;
        Ok(Self { head, given: 0, inner })
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl<R: Read> Read for Peek<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.get(self.given..) {
            Some(mut left) if !left.is_empty() => {
                let count = left.read(buffer)?;
                self.given += count;
                Ok(count)
            }
            _ => self.inner.read(buffer),
        }
    }
}
