//! A slow and simple inflater after RFC 1951, which shares no code with the one under test and knows how far back
//! it was referred.

/// What became of a stream.
#[derive(Debug, Default)]
pub struct Inflated {
    /// Everything, what was known before included.
    pub data: Vec<u8>,
    /// The farthest reference back.
    pub distance: usize,
    /// How many blocks there were of each type: stored, fixed, dynamic.
    pub blocks: [usize; 3],
}

/// Reads the payload of a message as RFC 7692 section 7.2.2 says: the tail behind it, final blocks ending themselves
/// only. `data` begins as what the window knows. `None` when it is not valid, or when the tail is no block of its own,
/// as section 7.2.1 makes it: a message that was cut short may end in it by chance.
pub fn inflate(known: &[u8], payload: &[u8]) -> Option<Inflated> {
    let mut inflated = Inflated { data: known.to_vec(), ..Inflated::default() };
    let input = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut bits = Bits { bytes: &input, at: 0 };
    while bits.at < input.len() * 8 {
        let last = bits.take(1)? == 1;
        let kind = bits.take(2)? as usize;
        *inflated.blocks.get_mut(kind)? += 1;
        let empty_block_ahead = kind == 0 && bits.at.div_ceil(8) == payload.len();
        match kind {
            0 => stored(&mut bits, &mut inflated)?,
            1 => block(&mut bits, &mut inflated, &fixed().0, &fixed().1)?,
            _ => {
                let (lengths, distances) = dynamic(&mut bits)?;
                block(&mut bits, &mut inflated, &lengths, &distances)?;
            }
        }
        if last {
            bits.at = bits.at.next_multiple_of(8);
            // What is left is the tail alone: the sender has left out the empty block that it belongs to.
            if bits.at / 8 == payload.len() {
                return Some(inflated);
            }
        }
        if empty_block_ahead {
            return Some(inflated);
        }
    }
    None
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: usize) -> Option<u32> {
        let mut value = 0;
        for bit in 0..n {
            let byte = *self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }
}

/// Codes by length and value (RFC 1951 section 3.2.2).
struct Codes(std::collections::HashMap<(usize, u32), usize>);

impl Codes {
    fn new(lengths: &[usize]) -> Self {
        let mut code = 0;
        let mut codes = std::collections::HashMap::new();
        for len in 1..16 {
            code <<= 1;
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| **l == len) {
                codes.insert((len, code), symbol);
                code += 1;
            }
        }
        Codes(codes)
    }

    /// The same of lengths that were sent: no code may be missing or there twice, unless there is one at most
    /// (RFC 1951 section 3.2.7 has it so for distances).
    fn checked(lengths: &[usize], may_be_one: bool) -> Option<Self> {
        let used = lengths.iter().filter(|len| **len > 0);
        let (space, longest) =
            used.fold((0, 0), |(space, longest), len| (space + (1 << 15 >> len), longest.max(*len)));
        let alone = may_be_one && space < 1 << 15 && longest <= 1;
        (space == 1 << 15 || alone).then(|| Codes::new(lengths))
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let mut code = 0;
        for len in 1..16 {
            code = code << 1 | bits.take(1)?;
            if let Some(symbol) = self.0.get(&(len, code)) {
                return Some(*symbol);
            }
        }
        None
    }
}

fn stored(bits: &mut Bits<'_>, inflated: &mut Inflated) -> Option<()> {
    bits.at = bits.at.next_multiple_of(8);
    let len = bits.take(16)?;
    if bits.take(16)? != !len & 0xffff {
        return None;
    }
    for _ in 0..len {
        inflated.data.push(bits.take(8)? as u8);
    }
    Some(())
}

fn fixed() -> (Codes, Codes) {
    let lengths: Vec<usize> = (0..288)
        .map(|n| {
            if n < 144 {
                8
            } else if n < 256 {
                9
            } else if n < 280 {
                7
            } else {
                8
            }
        })
        .collect();
    (Codes::new(&lengths), Codes::new(&[5; 30]))
}

fn dynamic(bits: &mut Bits<'_>) -> Option<(Codes, Codes)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (hlit, hdist, hclen) = (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    if hlit > 286 || hdist > 30 {
        return None;
    }
    let mut lengths = [0; 19];
    for at in &ORDER[..hclen as usize] {
        lengths[*at] = bits.take(3)? as usize;
    }
    let codes = Codes::checked(&lengths, false)?;
    let mut lengths = Vec::new();
    let all = (hlit + hdist) as usize;
    while lengths.len() < all {
        let (value, times) = match codes.read(bits)? {
            16 => (*lengths.last()?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            len => (len, 1),
        };
        lengths.extend((0..times).map(|_| value));
    }
    let (literals, distances) = lengths.split_at_checked(hlit as usize)?;
    if lengths.len() > all || literals[256] == 0 {
        return None;
    }
    Some((Codes::checked(literals, true)?, Codes::checked(distances, true)?))
}

fn block(bits: &mut Bits<'_>, inflated: &mut Inflated, lengths: &Codes, distances: &Codes) -> Option<()> {
    loop {
        let symbol = lengths.read(bits)?;
        match symbol {
            0..=255 => inflated.data.push(symbol as u8),
            256 => return Some(()),
            257..=284 => {
                let at = symbol - 257;
                let extra = if at < 8 { 0 } else { at / 4 - 1 };
                let base = if at < 8 { at + 3 } else { ((4 + at % 4) << extra) + 3 };
                let len = base + bits_of(bits, extra)?;
                copy(bits, inflated, len, distances)?;
            }
            285 => copy(bits, inflated, 258, distances)?,
            _ => return None,
        }
    }
}

fn bits_of(bits: &mut Bits<'_>, extra: usize) -> Option<usize> {
    Some(bits.take(extra)? as usize)
}

fn copy(bits: &mut Bits<'_>, inflated: &mut Inflated, len: usize, distances: &Codes) -> Option<()> {
    let symbol = distances.read(bits).filter(|symbol| *symbol < 30)?;
    let extra = if symbol < 4 { 0 } else { symbol / 2 - 1 };
    let base = if symbol < 4 { symbol + 1 } else { ((2 + symbol % 2) << extra) + 1 };
    let distance = base + bits_of(bits, extra)?;
    inflated.distance = inflated.distance.max(distance);
    for _ in 0..len {
        let byte = *inflated.data.get(inflated.data.len().checked_sub(distance)?)?;
        inflated.data.push(byte);
    }
    Some(())
}
