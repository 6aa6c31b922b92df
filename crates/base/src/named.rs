//! Choices of a few, each with a name: the one list of them is what parsers, help and files are made of.

/// A type whose values are few and have names; [`named!`](crate::named) makes one of an enum.
pub trait Named: Copy + Send + Sync + 'static {
    /// Every value with its name and what it means, in the order to show them.
    const NAMES: &'static [(Self, &'static str, &'static str)];

    /// The value of that name.
    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, its, _)| *its == name).map(|&(value, ..)| value)
    }
}

/// `named! { Type { Variant "name" "what it means"; ... } }` lists the values of an enum.
#[macro_export]
macro_rules! named {
    ($type:ident { $($variant:ident $name:literal $about:literal;)+ }) => {
        impl $crate::Named for $type {
            const NAMES: &'static [(Self, &'static str, &'static str)] = &[$(($type::$variant, $name, $about)),+];
        }

        impl $type {
            /// The name, as users write it.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)+
                }
            }
        }
    };
}
