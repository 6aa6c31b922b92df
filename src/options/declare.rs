//! `group!`: the declarations of a group of settings, from which all that is known of them comes.
//!
//! ```text
//! group! { $ "Heading of the group";
//!     /// Help, which is the documentation of the field and of the builder's method too. Other settings stand in it as
//!     /// `batch_growth`.
//!     name: Type = default, ratings default_of_ratings => {
//!         value: "RATE", must_be: "above 0; try 0.1", within: |s| s.name > 0.0,
//!     }
//! }
//! ```
//!
//! A declaration makes a field of [`Settings`](super::Settings), its defaults, and an [`Opt`](super::Opt), whose fields stand between the
//! braces. Groups stand in files of their own, and yet make one flat struct: so each group makes a macro `fields`, which hands its fields
//! on to the next group; the last one to `settings!`. That makes a macro in turn, `each_setting!`, by which others make something of all
//! settings, as the builder makes its methods.

/// See above. The `$` is one that stands in what is made; `in transforms: Transforms` begins a group whose settings lie in one field.
macro_rules! group {
    ($d:tt $heading:literal; $(
        $(#[doc = $help:literal])+
        $name:ident: $type:ty = $default:expr $(, ratings $ratings:expr)? => { $($body:tt)* }
    )+) => {
        group! { @options $heading; [] $($(#[doc = $help])+ $name: $type => { $($body)* })+ }

        macro_rules! fields {
            ($d dollar:tt [$d($d rest:ident)*] { $d($d before:tt)* } { $d($d listed:tt)* }) => {
                collect! {
                    $d dollar
                    [$d($d rest)*]
                    { $d($d before)* $($(#[doc = $help])+ $name: $type = $default, [$($ratings)?];)+ }
                    { $d($d listed)* $([] $(#[doc = $help])+ $name: $type;)+ }
                }
            };
        }
        pub(super) use fields;
    };
    ($d:tt $heading:literal; in $(#[doc = $about:literal])+ $parent:ident: $whole:ident; $(
        $(#[doc = $help:literal])+
        $name:ident: $type:ty => { $($body:tt)* }
    )+) => {
        group! { @options $heading; [$parent] $($(#[doc = $help])+ $name: $type => { $($body)* })+ }

        macro_rules! fields {
            ($d dollar:tt [$d($d rest:ident)*] { $d($d before:tt)* } { $d($d listed:tt)* }) => {
                collect! {
                    $d dollar
                    [$d($d rest)*]
                    { $d($d before)* $(#[doc = $about])+ $parent: $whole = $whole::default(), []; }
                    { $d($d listed)* $([$parent] $(#[doc = $help])+ $name: $type;)+ }
                }
            };
        }
        pub(super) use fields;
    };
    (@options $heading:literal; $parent:tt $($(#[doc = $help:literal])+ $name:ident: $type:ty => { $($body:tt)* })+) => {
        pub(super) const GROUP: super::Group = super::Group {
            options: &[$(group! { @option $heading; $parent $(#[doc = $help])+ $name: $type => { $($body)* } }),+],
            check,
        };
    };
    (@option $heading:literal; [$($parent:ident)?] $(#[doc = $help:literal])+ $name:ident: $type:ty => { $($body:tt)* }) => {
        super::Opt {
            name: stringify!($name),
            group: $heading,
            help: concat!($($help),+),
            read: |settings, text| {
                settings.$($parent.)?$name = <$type as super::Text>::read(text)?;
                Ok(())
            },
            show: |settings| super::Text::show(&settings.$($parent.)?$name),
            json: |settings| super::Text::json(&settings.$($parent.)?$name),
            names: <$type as super::Text>::names,
            is_switch: <$type as super::Text>::IS_SWITCH,
            $($body)*
            ..super::Opt::PLAIN
        }
    };
}

/// Calls the `fields` of each of the groups that are listed, and then `settings!` with all that they have handed on: the fields of the
/// struct, and the settings, each with the field that it lies in, if that has several.
macro_rules! collect {
    ($d:tt [$next:ident $($rest:ident)*] $fields:tt $listed:tt) => { $next::fields! { $d [$($rest)*] $fields $listed } };
    ($d:tt [] $fields:tt $listed:tt) => { settings! { $d $fields $listed } };
}

/// The struct of all settings, with their defaults; and `each_setting!`, which hands the list of them to another macro.
macro_rules! settings {
    ($d:tt { $($(#[doc = $help:literal])+ $name:ident: $type:ty = $default:expr, [$($ratings:expr)?];)+ } { $($listed:tt)* }) => {
        /// Settings of a training run; `Default` is sensible for linear models, [`Settings::for_ratings`] for factorization.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $($(#[doc = $help])+ pub $name: $type,)+
        }

        impl Default for Settings {
            fn default() -> Settings {
                Settings { $($name: $default,)+ }
            }
        }

        impl Settings {
            /// The defaults for matrix factorization: where they are others than those for rows.
            pub fn for_ratings() -> Settings {
                let mut settings = Settings::default();
                $($(settings.$name = $ratings;)?)+
                settings
            }
        }

        macro_rules! each_setting {
            ($d callback:ident) => { $d callback! { $($listed)* } };
        }
        pub(crate) use each_setting;
    };
}
