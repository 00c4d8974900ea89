//! Where plain text stops: the quotes, backslashes and control characters of a text, found 64 bytes at a time.

use wide::u8x16;

/// So many bytes are looked at together: one bit each in a word.
pub(super) const BLOCK: usize = 64;

/// So many bytes fit into one vector register everywhere.
const ROW: usize = 16;

/// The stops of one block of a text. Tokens are short, so that several of them share the work of one look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stops {
    /// Where the block begins that was looked at last; no text has the first value.
    block: usize,
    /// A bit for each of its bytes.
    bits: u64,
}

impl Stops {
    pub const fn new() -> Self {
        Self { block: usize::MAX, bits: 0 }
    }

    /// The place of the first stop at or behind a position; the length of the text where there is none.
    #[inline]
    pub fn next(&mut self, bytes: &[u8], mut position: usize) -> usize {
        loop {
            let within = position % BLOCK;
            let block = position.wrapping_sub(within);
            if block != self.block {
                let rest = bytes.get(block..).unwrap_or_default();
                self.bits = rest.first_chunk().map_or_else(|| stops_at_end(bytes, rest), stops_of_block);
                self.block = block;
            }
            // A block is 64 bytes, so that the shift is always in range.
            let ahead = self.bits.wrapping_shr(within as u32);
            if ahead != 0 {
                return position.wrapping_add(ahead.trailing_zeros() as usize);
            }
            position = block.wrapping_add(BLOCK);
            if position >= bytes.len() {
                return bytes.len();
            }
        }
    }
}

#[inline]
fn stops_of_block(block: &[u8; BLOCK]) -> u64 {
    let (rows, _) = block.as_chunks::<ROW>();
    rows.iter().rev().fold(0, |bits, row| bits << ROW | stops_of_row(row))
}

/// The stops of a block that the end of the text cuts off. The last row is filled up with bytes before it.
fn stops_at_end(text: &[u8], block: &[u8]) -> u64 {
    let (rows, rest) = block.as_chunks::<ROW>();
    let bits_of_rest = match text.last_chunk::<ROW>() {
        Some(row) => stops_of_row(row).wrapping_shr(ROW.saturating_sub(rest.len()) as u32),
        None => rest.iter().rev().fold(0, |bits, &byte| bits << 1 | u64::from(is_stop(byte))),
    };
    rows.iter().rev().fold(bits_of_rest, |bits, row| bits << ROW | stops_of_row(row))
}

const fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// A bit for each byte that [`is_stop`].
#[inline]
fn stops_of_row(row: &[u8; ROW]) -> u64 {
    let row = u8x16::new(*row);
    let is_control = row.min(u8x16::splat(0x1f)).simd_eq(row);
    let is_stop = is_control | row.simd_eq(u8x16::splat(b'"')) | row.simd_eq(u8x16::splat(b'\\'));
    u64::from(is_stop.to_bitmask())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn naive(bytes: &[u8], position: usize) -> usize {
        let is_stop = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
        (position..bytes.len()).find(|&at| bytes.get(at).is_some_and(is_stop)).unwrap_or(bytes.len())
    }

    fn byte() -> impl Strategy<Value = u8> {
        let near_a_stop = select(vec![b'"', b'\\', 0x1f, 0x20, 0x7f, 0xa2]);
        prop_oneof![8 => b'a'..=b'c', 1 => any::<u8>(), 1 => near_a_stop]
    }

    proptest! {
        #[test]
        fn every_stop_is_found_where_it_is(bytes in vec(byte(), 0..300)) {
            let mut stops = Stops::new();
            for position in (0..=bytes.len()).chain((0..=bytes.len()).rev()) {
                prop_assert_eq!(stops.next(&bytes, position), naive(&bytes, position));
            }
        }
    }
}
