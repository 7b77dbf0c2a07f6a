//! Compressors and inflaters that no message is using, kept for the next one of whichever connection.

use std::sync::Mutex;

use zlib_rs::{Deflate, DeflateConfig};

use crate::{
    options::Options,
    settings::{Strategy, WindowBits},
    stream::InflateStream,
};

/// As many compressors of each window size, and inflaters, as [`Options::pool_size`] says.
///
/// Making a compressor takes about three times as long as making one ready that was used.
pub(crate) struct Pool {
    /// One shelf for each size of window, 9 to 15 bits.
    deflates: [Shelf<Box<Deflate>>; 7],
    inflates: Shelf<Box<InflateStream>>,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Self {
        Pool { deflates: std::array::from_fn(|_| Shelf::new(size)), inflates: Shelf::new(size) }
    }

    /// A compressor that has seen nothing.
    pub(crate) fn deflate(&self, options: &Options, bits: WindowBits) -> Box<Deflate> {
        if let Some(mut deflate) = self.shelf(bits).and_then(Shelf::take) {
            deflate.reset();
            return deflate;
        }
        // Each value is in its range by its type, so that this cannot panic; negative bits ask for raw DEFLATE.
        let mut config = DeflateConfig::new(i32::from(options.level.level()));
        config.window_bits = -i32::from(bits.compressor());
        config.mem_level = i32::from(options.memory_level.level());
        config.strategy = match options.strategy {
            Strategy::Default => zlib_rs::Strategy::Default,
            Strategy::Filtered => zlib_rs::Strategy::Filtered,
            Strategy::HuffmanOnly => zlib_rs::Strategy::HuffmanOnly,
            Strategy::Rle => zlib_rs::Strategy::Rle,
            Strategy::Fixed => zlib_rs::Strategy::Fixed,
        };
        Box::new(Deflate::new_with_config(config))
    }

    pub(crate) fn give_deflate(&self, bits: WindowBits, deflate: Box<Deflate>) {
        if let Some(shelf) = self.shelf(bits) {
            shelf.give(deflate);
        }
    }

    /// An inflater that remembers nothing.
    pub(crate) fn inflate(&self) -> Box<InflateStream> {
        self.inflates.take().unwrap_or_default()
    }

    pub(crate) fn give_inflate(&self, mut stream: Box<InflateStream>) {
        stream.forget();
        self.inflates.give(stream);
    }

    fn shelf(&self, bits: WindowBits) -> Option<&Shelf<Box<Deflate>>> {
        self.deflates.get(usize::from(bits.compressor()).checked_sub(9)?)
    }
}

impl Default for Pool {
    fn default() -> Self {
        Pool::new(Options::new().pool_size)
    }
}

/// Nobody waits for it: who finds it taken makes a new one, or drops what was used.
struct Shelf<T> {
    items: Mutex<Vec<T>>,
    size: usize,
}

impl<T> Shelf<T> {
    const fn new(size: usize) -> Self {
        Shelf { items: Mutex::new(Vec::new()), size }
    }

    fn take(&self) -> Option<T> {
        self.items.try_lock().ok()?.pop()
    }

    fn give(&self, item: T) {
        if let Ok(mut items) = self.items.try_lock()
            && items.len() < self.size
        {
            items.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_holds_what_it_may_and_waits_for_nobody() {
        let shelf = Shelf::new(2);
        (0..5).for_each(|item| shelf.give(item));
        assert_eq!([shelf.take(), shelf.take(), shelf.take()], [Some(1), Some(0), None]);
        let taken = shelf.items.try_lock();
        shelf.give(7);
        assert_eq!(shelf.take(), None);
        drop(taken);
        assert_eq!(shelf.take(), None);
    }

    #[test]
    fn each_setting_makes_a_compressor() {
        let pool = Pool::new(1);
        for bits in (8..=15).map(|bits| WindowBits::new(bits).unwrap()) {
            let strategies = [Strategy::Filtered, Strategy::HuffmanOnly, Strategy::Rle, Strategy::Fixed];
            for strategy in strategies {
                for level in 0..=9 {
                    let memory_level = crate::MemoryLevel::new(level.max(1)).unwrap();
                    let level = crate::Level::new(level).unwrap();
                    let options = Options::new().level(level).memory_level(memory_level).strategy(strategy);
                    drop(pool.deflate(&options, bits));
                }
            }
        }
    }

    #[test]
    fn what_was_given_is_lent_again_by_its_window() {
        let pool = Pool::new(1);
        let bits = |bits| WindowBits::new(bits).unwrap();
        pool.give_deflate(bits(8), pool.deflate(&Options::new(), bits(8)));
        assert!(pool.shelf(bits(10)).unwrap().take().is_none());
        assert!(pool.shelf(bits(9)).unwrap().take().is_some());
    }
}
