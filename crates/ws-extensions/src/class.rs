//! Which codecs make the same of the same message.

use std::any::TypeId;

/// What the output of a [`Codec`](crate::Codec) that keeps nothing from message to message depends on.
///
/// Two codecs of equal class make the same bytes of the same message, on whichever connection they are. So a message
/// for many connections is worked on once for each class of them and not once for each of them.
///
/// ```
/// use ws_extensions::Class;
///
/// struct Shifted(u8); // a codec that adds a number to each byte
/// let class = |codec: &Shifted| Class::of::<Shifted>([codec.0.into(), 0]);
/// assert_eq!(class(&Shifted(1)), class(&Shifted(1)));
/// assert_ne!(class(&Shifted(1)), class(&Shifted(2)));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Class {
    codec: TypeId,
    parameters: [u64; 2],
}

impl Class {
    /// The class of codecs of type `C` with these parameters, which must stand for everything that the output depends on.
    #[must_use]
    pub fn of<C: 'static>(parameters: [u64; 2]) -> Self {
        Class { codec: TypeId::of::<C>(), parameters }
    }
}
