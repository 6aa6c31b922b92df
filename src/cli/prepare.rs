//! The options that say how cells and words become features: of `pack`, and of all that read text.
use clap::{Args, builder::RangedU64ValueParser};
use hogwild::data::{Preparation, Sampling, Share, TermFrequency};

use super::named::named;

#[derive(Args)]
#[command(next_help_heading = "Columns and words of text")]
pub struct PrepareOptions {
    /// The column of the label, of tables and JSON [default: one called label, target, y, click, clicked, class, outcome or is_click]
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// The column that says how much each example counts, of tables and JSON; of ratings, too, by name or by number from 1; of interactions
    /// `count` [default: none; other formats have weights of their own]
    #[arg(long, value_name = "NAME")]
    pub weight: Option<String>,
    /// Columns that are no features
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Columns whose cells are words, whatever they look like [default: those with a cell that is no number]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub categorical: Vec<String>,
    /// Columns whose cells have to be numbers
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub numeric: Vec<String>,
    /// Columns of numbers of which the logarithm of 1 + x is taken
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub log1p: Vec<String>,
    /// Columns of numbers that are put into so many bins, with as many cells each
    #[arg(long, value_name = "NAME:N,...", value_delimiter = ',', value_parser = bins)]
    pub bins: Vec<(String, u32)>,
    /// A column whose cells are lists of words, and what stands between these; may be given again
    #[arg(long, value_name = "NAME:MARK", value_parser = list)]
    pub list: Vec<(String, String)>,
    /// Columns (or namespaces of Vowpal Wabbit's lines) whose features are crossed: each combination is a feature `a=x^b=y` too. Two to four
    /// names; * for all pairs of columns
    #[arg(long, value_name = "NAME:NAME,...", value_delimiter = ',', value_parser = cross)]
    pub cross: Vec<Cross>,
    /// Up to so many words in a row are a feature, of fastText's lines
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..=5))]
    pub ngrams: Option<u32>,
    /// Leave out features that occur in fewer examples; of tables, the words of a column that do become one feature, `name=<rare>`
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    pub min_count: Option<u32>,
    /// Weigh words by tf-idf: of fastText's lines, and of the columns in `list`; each line or list is then divided by its length
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "count", value_parser = named::<TermFrequency>())]
    pub tfidf: Option<TermFrequency>,
    /// Hash features to the numbers below 2^N, which bounds memory; their names are not kept
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..=31))]
    pub hash_bits: Option<u32>,
    /// Of two classes keep this share of the examples of the smaller label (-1, 0, the first word); each then counts so much the more
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "balance")]
    pub sample: Option<Share>,
    /// Of two classes keep of the more frequent one about as many examples as there are of the other; each then counts so much the more
    #[arg(long)]
    pub balance: bool,
}

impl PrepareOptions {
    pub fn preparation(&self) -> Preparation {
        Preparation {
            label: self.label.clone(),
            weight: self.weight.clone(),
            ignore: self.ignore.clone(),
            categorical: self.categorical.clone(),
            numeric: self.numeric.clone(),
            log1p: self.log1p.clone(),
            bins: self.bins.clone(),
            list: self.list.clone(),
            cross: self.cross.iter().map(|cross| cross.0.clone()).collect(),
            ngrams: self.ngrams,
            min_count: self.min_count,
            tfidf: self.tfidf,
            hash_bits: self.hash_bits,
            sample: self.sample.map(Sampling::Negatives).or(self.balance.then_some(Sampling::Balance)),
        }
    }

    /// Whether nothing is given but the column of weights, if that.
    pub fn ask_for_weights_alone(&self) -> bool {
        Preparation { weight: None, ..self.preparation() } == Preparation::default()
    }

    /// Whether none is given.
    pub fn are_defaults(&self) -> bool {
        self.preparation() == Preparation::default()
    }
}

fn share(text: &str) -> Result<Share, String> {
    const SAY: &str = "must be above 0 and below 1, as in 0.1";
    text.parse().ok().and_then(|share| Share::new(share).ok()).ok_or_else(|| SAY.to_owned())
}

/// Names that are crossed.
#[derive(Clone)]
pub struct Cross(Vec<String>);

fn cross(text: &str) -> Result<Cross, String> {
    Ok(Cross(text.split(':').map(str::to_owned).collect()))
}

fn bins(text: &str) -> Result<(String, u32), String> {
    const SAY: &str = "must be a column and a number of bins, as in age:10";
    let (name, number) = text.rsplit_once(':').filter(|(name, _)| !name.is_empty()).ok_or(SAY)?;
    Ok((name.to_owned(), number.parse().map_err(|_| SAY)?))
}

fn list(text: &str) -> Result<(String, String), String> {
    const SAY: &str = "must be a column and what stands between the words of a cell, as in tags:|";
    let (name, mark) = text.split_once(':').filter(|(name, mark)| !name.is_empty() && !mark.is_empty()).ok_or(SAY)?;
    Ok((name.to_owned(), mark.to_owned()))
}
