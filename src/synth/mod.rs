//! Synthetic data with a known structure, as text: what the data in `data/` are made by. A kind a file; what they share is in `draw`.
//!
//! Every row follows from the seed and the row's number alone, and the hidden truth from the seed: rows written later, from `start_row`
//! on, are held-out data of the same truth, and any size is written in constant memory, by all cores: some chunks of rows are made while
//! those before them are written.
mod clicks;
mod draw;
mod graph;
mod ratings;
mod text;

use crate::{Error, Result, memory};
use clicks::Clicks;
use draw::{Random, mix};
use graph::Nodes;
use hogwild_base::{Progress, threads};
use rand::SeedableRng;
use ratings::Ratings;
use std::{
    convert::Infallible,
    io::{Error as IoError, ErrorKind, Write},
    ops::Range,
    path::Path,
};
use text::{Text, Uniform};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// svmlight rows like tf-idf of texts: Zipf-distributed features, rows of length 1, labels +1 and -1.
    Text,
    /// svmlight rows like Criteo's log of clicks: 39 features a row, one of each field (13 numbers in a few buckets, 26 categories),
    /// Zipf-distributed within fields of very different sizes; every value 1; a quarter of the labels +1.
    Clicks,
    /// svmlight rows of features that are all equally frequent, with values from -1 to 1; labels +1 and -1.
    Uniform,
    /// `user item rating`, ratings from 0.5 to 5 in half steps.
    Ratings,
    /// Edges of an image's pixels: flat parts with noise, each pixel bound to its neighbours and to terminals.
    Cut,
    /// Edges of mentions of entities by how like their names are; entities are the terminals.
    CutEntities,
}

hogwild_base::named! { Kind {
    Text "text" "svmlight rows like tf-idf of texts: Zipf-distributed features, rows of length 1";
    Clicks "clicks" "svmlight rows like Criteo's log of clicks: a feature of each of 39 fields, every value 1, a quarter of the labels +1";
    Uniform "uniform" "svmlight rows of features that are all equally frequent, with values from -1 to 1";
    Ratings "ratings" "`user item rating`, half steps from 0.5 to 5";
    Cut "cut" "edges of a graph to be cut: pixels of an image with noise, bound to neighbours and to a terminal for each label";
    CutEntities "cut-entities" "edges of a graph to be cut: mentions, bound to others and to entities by how like their names are";
} }

/// How much of what, and from which seed.
#[derive(Clone, Debug)]
pub struct Synth {
    /// What kind of data.
    pub kind: Kind,
    /// Rows (or ratings) to write.
    pub rows: u64,
    /// The number of the first row.
    pub start_row: u64,
    /// Rows: how many features there are, at least 2; clicks: in all fields together, at least 78.
    pub features: u64,
    /// Text and uniform: draws a row, on average, at least 1; a feature drawn twice counts once, so rows are somewhat shorter.
    pub nonzeros: u64,
    /// Ratings: how many users, at least 1.
    pub users: u64,
    /// Ratings: how many items, at least 1.
    pub items: u64,
    /// Graphs: how many labels, and so terminals, at least 2. Rows are nodes, from the first on.
    pub labels: u64,
    /// Zipf's exponent of features, users, items and entities, 0 to 3; 0 is uniform.
    pub exponent: f64,
    /// Another seed is another truth.
    pub seed: u64,
}

impl Default for Synth {
    fn default() -> Self {
        Synth {
            kind: Kind::Text,
            rows: 1000,
            start_row: 0,
            features: 2000,
            nonzeros: 30,
            users: 300,
            items: 200,
            labels: 8,
            exponent: 1.0,
            seed: 1,
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Features written, ratings or edges.
    pub nonzeros: u64,
    /// Rows: log-loss of the hidden truth. Ratings: RMSE of the hidden truth. No model can be expected to do better. Graphs: what the edges
    /// between hidden labels cost, which the best cut is somewhat below.
    pub best: f64,
    /// The same of always predicting the mean; of graphs, of the label of each node's heaviest edge to a terminal.
    pub base: f64,
}

/// The rows of a kind.
trait Rows: Sync {
    /// Appends a row, as text.
    fn row(&self, random: &mut Random, room: &mut Room, out: &mut Vec<u8>, seen: &mut Seen);
}

/// A row's features with their values in thousandths.
#[derive(Default)]
struct Room {
    features: Vec<u64>,
    values: Vec<f64>,
}

/// Rows made at once.
#[derive(Default)]
struct Chunk {
    text: Vec<u8>,
    room: Room,
    seen: Seen,
}

/// Features, users and items are drawn by doubles, which tell no more of them apart.
const MOST: u64 = 1 << 53;
/// Of a row: more do not fit a line that can be read again.
const MOST_NONZEROS: u64 = 1 << 24;
/// Bytes of a nonzero while it is made: index, value, text.
const NONZERO: u64 = 48;

/// Labels of a graph: no model takes more. And its nodes, which have numbers of 32 bits.
const MOST_LABELS: u64 = 4096;
const MOST_NODES: u64 = 1 << 31;

/// About how many nonzeros a chunk has: some hundred kilobytes of text.
const CHUNK: u64 = 1 << 15;

impl Synth {
    /// # Errors
    /// The first setting, of those that the kind uses, that is out of its range.
    pub fn check(&self) -> Result<()> {
        let least = match self.kind {
            Kind::Text | Kind::Uniform => [("features", self.features, 2), ("nonzeros", self.nonzeros, 1)].to_vec(),
            Kind::Clicks => [("features", self.features, clicks::LEAST)].to_vec(),
            Kind::Ratings => [("users", self.users, 1), ("items", self.items, 1)].to_vec(),
            Kind::Cut | Kind::CutEntities => [("labels", self.labels, 2)].to_vec(),
        };
        if let Some((setting, value, least)) = least.into_iter().find(|&(_, value, least)| value < least) {
            return Err(Error::BadSetting { setting, value: value.to_string(), problem: format!("must be at least {least}") });
        }
        let most = match self.kind {
            Kind::Text | Kind::Uniform => [("features", self.features, MOST), ("nonzeros", self.nonzeros, MOST_NONZEROS)].to_vec(),
            Kind::Clicks => [("features", self.features, MOST)].to_vec(),
            Kind::Ratings => [("users", self.users, MOST), ("items", self.items, MOST)].to_vec(),
            Kind::Cut | Kind::CutEntities => [("labels", self.labels, MOST_LABELS), ("rows", self.rows, MOST_NODES)].to_vec(),
        };
        if let Some((setting, value, most)) = most.into_iter().find(|&(_, value, most)| value > most) {
            return Err(Error::BadSetting { setting, value: value.to_string(), problem: format!("must be at most {most}") });
        }
        if self.is_graph() && self.start_row > 0 {
            let problem = "is of rows that stand by themselves, and nodes of a graph do not; leave it out".to_string();
            return Err(Error::BadSetting { setting: "start_row", value: self.start_row.to_string(), problem });
        }
        if self.start_row.checked_add(self.rows).is_none() {
            let problem = format!("with {} rows behind it, goes beyond the largest number, {}; begin earlier", self.rows, u64::MAX);
            return Err(Error::BadSetting { setting: "start_row", value: self.start_row.to_string(), problem });
        }
        if self.nonzeros > self.features && matches!(self.kind, Kind::Text | Kind::Uniform) {
            let problem = format!("a row cannot have more features than there are: {}", self.features);
            return Err(Error::BadSetting { setting: "nonzeros", value: self.nonzeros.to_string(), problem });
        }
        if !(0.0..=3.0).contains(&self.exponent) && !matches!(self.kind, Kind::Uniform | Kind::Cut) {
            let problem = "must be from 0 (uniform) to 3".to_string();
            return Err(Error::BadSetting { setting: "exponent", value: self.exponent.to_string(), problem });
        }
        Ok(())
    }

    /// Whether it is a graph, which has terminals and a hidden label for each node.
    pub fn is_graph(&self) -> bool {
        matches!(self.kind, Kind::Cut | Kind::CutEntities)
    }

    /// Writes the terminals of a graph, one a line with the name of its label.
    ///
    /// # Errors
    /// Settings out of range, and what the writer refuses.
    pub fn write_terminals(&self, out: &mut dyn Write) -> Result<()> {
        self.check()?;
        let mut line = |label: u64| writeln!(out, "{}\tlabel{label}", self.rows + label);
        (0..self.labels).try_for_each(&mut line).map_err(Error::io(Path::new("synthetic data"), "write"))
    }

    /// Writes the hidden label of each node of a graph, one a line.
    ///
    /// # Errors
    /// Settings out of range, and what the writer refuses.
    pub fn write_truth(&self, out: &mut dyn Write) -> Result<()> {
        self.check()?;
        let nodes = Nodes::new(self);
        let mut line = |node: u64| writeln!(out, "{node}\tlabel{}", nodes.label(node));
        (0..self.rows).try_for_each(&mut line).map_err(Error::io(Path::new("synthetic data"), "write"))
    }

    /// Writes the rows, by the threads of the call (see [`Threads`](crate::Threads)). `progress` is told how many rows are written.
    ///
    /// # Errors
    /// Settings out of range, what the writer refuses, and [`Error::Io`] of the kind `Interrupted` where `progress` ends it.
    pub fn write(&self, out: &mut dyn Write, progress: &dyn Progress) -> Result<Summary> {
        self.check()?;
        threads::in_call(|| self.write_chunks(out, progress))
    }

    fn write_chunks(&self, out: &mut dyn Write, progress: &dyn Progress) -> Result<Summary> {
        let (source, nonzeros): (Box<dyn Rows>, u64) = match self.kind {
            Kind::Text => (Box::new(Text::new(self)), self.nonzeros),
            Kind::Clicks => (Box::new(Clicks::new(self)), clicks::FIELDS as u64),
            Kind::Uniform => (Box::new(Uniform::new(self)), self.nonzeros),
            Kind::Ratings => (Box::new(Ratings::new(self)), 1),
            Kind::Cut | Kind::CutEntities => (Box::new(Nodes::new(self)), self.labels + 2),
        };
        let size = CHUNK.div_ceil(nonzeros);
        // Those being made and those being written; a row may be half as long again.
        let chunks = 4 * threads::count() as u64;
        memory::ask(
            (size * nonzeros + nonzeros / 2).saturating_mul(chunks * NONZERO),
            || format!("{chunks} chunks of rows of {nonzeros} nonzeros"),
            "give fewer `nonzeros`",
        )?;
        let numbers = self.start_row..self.start_row + self.rows;
        let mut at = numbers.start;
        // The next chunks' rows, in order; fewer or none at the end.
        let mut next = || -> Vec<Range<u64>> {
            let chunks = (0..2 * threads::count()).map(|_| {
                let begin = at;
                at = at.saturating_add(size).min(numbers.end);
                begin..at
            });
            chunks.filter(|rows| !rows.is_empty()).collect()
        };
        let (mut made, mut making, mut spare): (Vec<Chunk>, Vec<Chunk>, Vec<Chunk>) = Default::default();
        let mut seen = Seen::default();
        loop {
            let rows = next();
            making.append(&mut spare);
            making.resize_with(rows.len(), Chunk::default);
            if making.is_empty() && made.is_empty() {
                return Ok(seen.summary(self.kind));
            }
            let fill = || {
                let chunks = making.iter_mut().zip(rows).collect();
                let Ok(()) = threads::each(
                    chunks,
                    || (),
                    |(), (chunk, rows)| {
                        self.fill(&*source, rows, chunk);
                        Ok::<(), Infallible>(())
                    },
                );
            };
            threads::beside(fill, || {
                for chunk in &made {
                    out.write_all(&chunk.text)?;
                    seen = seen.add(&chunk.seen);
                    if !progress.progress(seen.rows, Some(self.rows)) {
                        return Err(IoError::new(ErrorKind::Interrupted, "interrupted"));
                    }
                }
                Ok(())
            })
            .map_err(Error::io(Path::new("synthetic data"), "write"))?;
            (made, making, spare) = (making, Vec::new(), made);
        }
    }

    fn fill(&self, source: &dyn Rows, rows: Range<u64>, chunk: &mut Chunk) {
        chunk.text.clear();
        chunk.seen = Seen::default();
        for row in rows {
            chunk.seen.number = row;
            let mut random = Random::seed_from_u64(mix(self.seed, row));
            source.row(&mut random, &mut chunk.room, &mut chunk.text, &mut chunk.seen);
        }
    }
}

/// Sums for the summary.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Of the row at hand.
    number: u64,
    rows: u64,
    nonzeros: u64,
    targets: f64,
    squares: f64,
    logloss: f64,
    errors: f64,
    /// Of edges between other labels: by the truth, and by terminals alone.
    costs: [f64; 2],
}

impl Seen {
    /// A row that is a node of a graph: its number.
    fn node(&mut self) -> u64 {
        self.rows += 1;
        self.number
    }

    /// An edge of it, and whether its ends differ, by the truth and by terminals alone.
    fn edge(&mut self, weight: f64, differ: [bool; 2]) {
        self.nonzeros += 1;
        self.costs.iter_mut().zip(differ).filter(|(_, differ)| *differ).for_each(|(cost, _)| *cost += weight);
    }

    /// A row with its label and the probability of 1 that is the truth.
    fn label(&mut self, positive: bool, truth: f64, nonzeros: usize) {
        self.logloss -= if positive { truth.ln() } else { (1.0 - truth).ln() };
        self.targets += positive as u8 as f64;
        self.rows += 1;
        self.nonzeros += nonzeros as u64;
    }

    /// A rating and its expectation.
    fn rating(&mut self, rating: f64, truth: f64) {
        self.targets += rating;
        self.squares += rating * rating;
        self.errors += (rating - truth).powi(2);
        self.rows += 1;
        self.nonzeros += 1;
    }

    fn add(self, other: &Seen) -> Seen {
        Seen {
            number: other.number,
            rows: self.rows + other.rows,
            nonzeros: self.nonzeros + other.nonzeros,
            targets: self.targets + other.targets,
            squares: self.squares + other.squares,
            logloss: self.logloss + other.logloss,
            errors: self.errors + other.errors,
            costs: [self.costs[0] + other.costs[0], self.costs[1] + other.costs[1]],
        }
    }

    fn summary(&self, kind: Kind) -> Summary {
        let n = self.rows.max(1) as f64;
        let mean = self.targets / n;
        let (best, base) = match kind {
            Kind::Cut | Kind::CutEntities => (self.costs[0], self.costs[1]),
            Kind::Ratings => ((self.errors / n).sqrt(), (self.squares / n - mean * mean).max(0.0).sqrt()),
            _ => {
                let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
                (self.logloss / n, part(mean) + part(1.0 - mean))
            }
        };
        Summary { nonzeros: self.nonzeros, best, base }
    }
}
