//! `--deflate[=PRESET]`: how the server compresses.

use clap::ValueEnum;
use ws_stack::deflate::{Options, Takeover};

/// How the server compresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    /// Nothing is kept between messages, by either side; connections share compressors
    Pooled,
    /// The same, on the fastest level
    LowLatency,
    /// The fewest bytes: the thorough level, contexts kept by both sides
    Smallest,
    /// Contexts kept by both sides, windows of 15 bits
    Kept,
    /// Contexts kept by both sides, windows of 12 bits
    SmallContexts,
}

impl Compression {
    /// The extension's options for it.
    pub(super) fn options(self) -> Options {
        match self {
            Self::Pooled => Options::default(),
            Self::LowLatency => Options::low_latency(),
            Self::Smallest => Options::smallest(),
            Self::Kept => Options::new().takeover(Takeover::Keep).peer_takeover(Takeover::Keep),
            Self::SmallContexts => Options::small_contexts(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Compression;
    use crate::serve::Args;

    #[derive(Debug, Parser)]
    struct Serve {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(args: &[&str]) -> Result<Option<Compression>, clap::Error> {
        Serve::try_parse_from(["serve"].iter().chain(args)).map(|serve| serve.args.deflate)
    }

    #[test]
    fn the_preset_may_be_left_out() {
        for (args, wanted) in [
            (&[][..], None),
            (&["--deflate"], Some(Compression::Pooled)),
            (&["--deflate", "--listen", "127.0.0.1:0"], Some(Compression::Pooled)),
            (&["--deflate=pooled"], Some(Compression::Pooled)),
            (&["--deflate=low-latency"], Some(Compression::LowLatency)),
            (&["--deflate=smallest"], Some(Compression::Smallest)),
            (&["--deflate=kept"], Some(Compression::Kept)),
            (&["--deflate=small-contexts"], Some(Compression::SmallContexts)),
        ] {
            assert_eq!(parsed(args).unwrap(), wanted, "{args:?}");
        }
    }

    #[test]
    fn a_preset_is_one_of_ours_and_behind_an_equals_sign() {
        for args in [&["--deflate=fast"][..], &["--deflate="], &["--deflate", "kept"]] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
