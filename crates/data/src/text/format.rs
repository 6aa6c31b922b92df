//! A format as a value: what the user names, and what is chosen once an input.

use std::str::FromStr;

use hogwild_base::{Error, Named};

use crate::Kind;
use crate::text::collector::Collector;
use crate::text::fault::Bad;
use crate::text::guess::{Guess, guess};
use crate::text::parts::Parts;
use crate::text::{Asked, Begun, Format, Layout, TextFormat};

/// What is known of a format, from its [`TextFormat`]: asked once a file, or once a line of the sample that is guessed by.
pub(crate) struct Entry {
    name: &'static str,
    looks: &'static str,
    kind: Kind,
    columns: bool,
    groups: bool,
    words: bool,
    adds: bool,
    claims: fn(&[u8], Option<&str>) -> bool,
    recognises: fn(&[u8]) -> bool,
    begin: fn(&[u8], Asked<'_>) -> Result<Layout, Bad>,
}

impl Entry {
    pub(crate) const fn of<F: TextFormat>() -> Entry
    where
        Parts: From<F::Collector> + Into<F::Collector>,
    {
        Entry {
            name: F::NAME,
            looks: F::LOOKS,
            kind: F::Collector::KIND,
            columns: F::COLUMNS,
            groups: F::GROUPS,
            words: F::WORDS,
            adds: F::ADDS,
            claims: F::claims,
            recognises: F::recognises,
            begin: |first_lines, asked| F::begin(first_lines, asked).map(Begun::shared),
        }
    }
}

/// Makes the enum of all formats from their list.
macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident: $format:ty,)+) => {
        /// A text format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$doc])* $name,)+
        }

        impl Format {
            /// All of them, in the order in which they are looked for.
            pub const ALL: [Format; [$(Format::$name),+].len()] = [$(Format::$name),+];

            fn entry(self) -> &'static format::Entry {
                match self {
                    $(Format::$name => const { &format::Entry::of::<$format>() },)+
                }
            }
        }

        impl hogwild_base::Named for Format {
            const NAMES: &'static [(Format, &'static str, &'static str)] =
                &[$((Format::$name, <$format as TextFormat>::NAME, <$format as TextFormat>::LOOKS)),+];
        }
    };
}
pub(crate) use formats;

impl Format {
    /// The name, as `format` takes it.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// What a line looks like.
    pub fn looks(self) -> &'static str {
        self.entry().looks
    }

    /// What a text of this format holds.
    pub fn kind(self) -> Kind {
        self.entry().kind
    }

    /// Finds the format of a text from its first lines; `None` if they say nothing, or fit several formats or another one.
    pub fn detect(text: &[u8]) -> Option<Format> {
        let Guess::Is(format) = guess(text, None) else { return None };
        format.begin(text, Asked { doubtful: true, ..Asked::default() }).is_ok().then_some(format)
    }

    /// The format that is meant where nothing but the kind is known.
    pub(crate) fn usual(kind: Kind) -> Format {
        match kind {
            Kind::Sparse => Format::Svmlight,
            Kind::Ratings => Format::Ratings,
        }
    }

    /// Whether its columns have names.
    pub(crate) fn has_columns(self) -> bool {
        self.entry().columns
    }

    /// Whether its features belong to groups with names.
    pub(crate) fn has_groups(self) -> bool {
        self.entry().groups
    }

    /// Whether its lines are texts of words.
    pub(crate) fn has_words(self) -> bool {
        self.entry().words
    }

    /// Whether a feature that stands twice in an example is added up, by what the format means.
    pub(crate) fn adds(self) -> bool {
        self.entry().adds
    }

    /// Whether the beginning of a text leaves no doubt that it is of this format.
    pub(crate) fn claims(self, first_lines: &[u8], label: Option<&str>) -> bool {
        (self.entry().claims)(first_lines, label)
    }

    pub(crate) fn recognises(self, line: &[u8]) -> bool {
        (self.entry().recognises)(line)
    }

    /// Looks at the first lines of an input.
    pub(crate) fn begin(self, first_lines: &[u8], asked: Asked<'_>) -> Result<Layout, Bad> {
        (self.entry().begin)(first_lines, asked)
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Format, Error> {
        Format::named(name).ok_or_else(|| {
            let names = Format::ALL.map(Format::name).join(" or ");
            Error::BadSetting { setting: "format", value: name.to_owned(), problem: format!("is no text format; take {names}") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{line_end, part, words};
    use crate::dictionary::Dictionary;
    use crate::text::chunk::{Chunk, PAD};
    use crate::text::codes::Id;
    use crate::text::collector::How;
    use crate::text::examples::Examples;
    use crate::text::fault::Fault;
    use crate::text::parse::Parsed;
    use crate::text::sink::RowSink;
    use proptest::prelude::*;
    use std::sync::Mutex;

    /// `label part part ...`, where a part is `*weight`, `field/index` or a name: what no format has yet.
    struct Made;

    impl TextFormat for Made {
        const NAME: &'static str = "made";
        const LOOKS: &'static str = "label part part ...";
        type Collector = Examples;

        fn recognises(_: &[u8]) -> bool {
            true
        }

        fn begin(_: &[u8], _: Asked<'_>) -> Result<Begun<Made>, Bad> {
            Ok(Begun::all(Made))
        }

        fn line(&self, text: &[u8], at: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
            let (start, end) = (*at, line_end(text, *at));
            *at = end;
            let mut example = rows.begin();
            for word in words(part(text, start..end - 1)) {
                let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse().ok();
                match word {
                    [b'*', weight @ ..] => example.weight(std::str::from_utf8(weight).unwrap().parse().unwrap()),
                    [field, b'/', index @ ..] => example.feature(Some(Id::Name(&[*field])), Id::Number(number(index).unwrap_or(0)), 1.0),
                    [b'0'..=b'9', ..] => example.feature(None, Id::Number(number(word).unwrap_or(0)), 1.0),
                    name => example.feature(None, Id::Name(name), 1.0),
                }
                .map_err(|refused| refused.at(start..end - 1))?;
            }
            example.label(1.0);
            example.end().map_err(|refused| refused.at(start..end - 1))
        }
    }

    #[test]
    fn what_is_not_kept_is_refused_by_name() {
        let lines = "1 2\n3 *-2\n4 a/5\n8 8\nx y x\n5 *3\n6 *0\n";
        let mut text = lines.as_bytes().to_vec();
        text.extend([b'\n'; PAD]);
        let chunk = Chunk { text, end: lines.len(), input: 0, first: true };
        let begun = (Entry::of::<Made>().begin)(chunk.lines(), Asked::default());
        let begun = begun.unwrap_or_else(|_| panic!("the first lines are refused"));
        let mut parsed = Parsed::default();
        begun.format.parse(&chunk, begun.start, &How { on_bad_row: crate::OnBadRow::Skip, ..How::default() }, &mut parsed);
        let Parts::Examples(examples) = &parsed.parts else { panic!("ratings") };
        assert_eq!((examples.lengths.as_slice(), examples.features.as_slice()), (&[2, 1][..], &[1, 2, 5][..]));
        assert_eq!(examples.weights, [1.0, 3.0]); // and one of 0 is left out
        let told: Vec<String> = parsed.report.bad.into_iter().map(|bad| bad.error("x".as_ref(), 0).to_string()).collect();
        let said = ["the weight of the example is below 0", "fields of features", "the index is repeated", "the index is repeated"];
        assert_eq!(told.len(), said.len());
        for (i, (told, said)) in told.iter().zip(said).enumerate() {
            assert!(told.starts_with(&format!("x:{}:", i + 2)) && told.contains(said), "{told}");
        }
    }

    /// Reads a text as this format, bad rows left out: gives how many examples or ratings there are.
    fn read(format: Format, lines: &str, unlabelled: bool) -> Option<usize> {
        let prepare = crate::Preparation { ngrams: Some(2), ..crate::Preparation::default() };
        let asked = Asked { unlabelled, prepare: Some(&prepare), ..Asked::default() };
        let mut text = lines.as_bytes().to_vec();
        let end = lines.len() + usize::from(!lines.ends_with('\n'));
        text.resize(end + PAD, b'\n');
        let chunk = Chunk { text, end, input: 0, first: true };
        let begun = format.begin(chunk.lines(), asked).ok()?;
        let (mut parsed, mut dictionary) = (Parsed::default(), Mutex::new(Dictionary::default()));
        begun.format.parse(&chunk, begun.start, &How { on_bad_row: crate::OnBadRow::Skip, unlabelled, ..How::default() }, &mut parsed);
        let told = parsed.report.bad.into_iter().chain(parsed.report.findings.into_iter().map(|(_, bad)| bad));
        told.for_each(|bad| drop(bad.error("x".as_ref(), 0).to_string()));
        if let Parts::Examples(examples) = &mut parsed.parts {
            let cells: usize = examples.lengths.iter().map(|&length| length as usize).sum();
            assert!((cells, cells) == (examples.features.len(), examples.values.len()), "{lines:?}");
            assert!(examples.features.count(&dictionary).is_ok());
            examples.features.tell(dictionary.get_mut().unwrap());
            let counts: u64 = dictionary.into_inner().unwrap().rank().counts.iter().sum();
            assert!(counts == cells as u64 && examples.values.iter().all(|value| value.is_finite()), "{lines:?}");
        }
        Some(parsed.parts.targets().len())
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(lines in "([ \t\r\n\",;|:=#'{}ayNA0-9.eé\u{a0}\u{0}-]|__label__){0,60}", unlabelled in any::<bool>()) {
            for format in Format::ALL {
                for front in ["", "y,a\n", "y\ta\tb\n1\t2\t", "1 |a ", "1 0:1:1 ", "__label__a ", "{\"y\": 1}\n{\"y\":"] {
                    read(format, &format!("{front}{lines}"), unlabelled);
                }
            }
            prop_assert_eq!(read(Format::Vw, "1 |a b\n", unlabelled), Some(1));
        }
    }

    #[test]
    fn names_are_read_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
            assert_eq!(Format::usual(format.kind()).kind(), format.kind());
        }
        assert!("none".parse::<Format>().unwrap_err().to_string().contains("libffm or svmlight or"));
    }
}
