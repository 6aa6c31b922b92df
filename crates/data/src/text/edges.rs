//! Edges of a graph: `node node [weight]` a line. Both ends are nodes of one kind; which of them stands first means nothing.
//!
//! They are kept as ratings are: the first node in place of a user, the other in place of an item, the weight in place of the rating.

use crate::bytes::{blank, line_end, part};
use crate::text::codes::Id;
use crate::text::fault::{Bad, Fault, fault};
use crate::text::fields::{Quote, Separator, fields};
use crate::text::interactions::{is_comment, sample, separator};
use crate::text::number::{Why, long_number};
use crate::text::parse::Start;
use crate::text::rated::Rated;
use crate::text::sink::RatingSink;
use crate::text::{Asked, Begun, TextFormat, odd};

const EDGE: &str = "write each edge as `node node`, or `node node weight`";
const NUMBER: &str = "give a finite number of 0 or more; if this is a heading, leave it out";

/// Edges of a graph.
#[derive(Default)]
pub(crate) struct Edges {
    separator: Separator,
}

impl TextFormat for Edges {
    const NAME: &'static str = "edges";
    const LOOKS: &'static str = "`node node [weight]`: edges of a graph, between tabs, commas or blanks";
    type Collector = Rated;

    /// It is read where it is asked for: its lines may as well be ratings.
    fn recognises(_line: &[u8]) -> bool {
        false
    }

    fn begin(first_lines: &[u8], _asked: Asked<'_>) -> Result<Begun<Edges>, Bad> {
        let sample = sample(first_lines);
        let Some(&(number, at)) = sample.first() else {
            return Ok(Begun { start: Start { at: first_lines.len(), lines: 0 }, ..Begun::default() });
        };
        let separator = separator(first_lines, &sample);
        let ends: Vec<String> = fields(first_lines, at, separator)
            .take(2)
            .map(|field| String::from_utf8_lossy(field.raw(first_lines)).to_lowercase())
            .collect();
        let start = match sample.get(1) {
            _ if !is_heading(&ends) => Start { at, lines: number },
            Some(&(number, at)) => Start { at, lines: number },
            None => Start { at: first_lines.len(), lines: number + 1 },
        };
        Ok(Begun { start, ..Begun::all(Edges { separator }) })
    }

    fn line(&self, text: &[u8], place: &mut usize, rows: &mut Rated) -> Result<(), Fault> {
        let start = *place;
        let end = line_end(text, start);
        let whole = part(text, start..end).trim_ascii();
        if whole.is_empty() || is_comment(whole) {
            *place = end;
            return Ok(());
        }
        if let Some(nul) = odd::nul(text, start, end) {
            return Err(nul);
        }
        let first = start + part(text, start..end).iter().take_while(|&&byte| blank(byte)).count();
        let last = first + whole.len();
        if whole.first() == Some(&b'%') {
            return fault(first, last, "this is a comment of another format", "write comments as `# ...`, and edges as `node node weight`");
        }
        let (mut parts, mut count) = ([None; 3], 0);
        for field in fields(text, start, self.separator) {
            if field.quote == Quote::Broken {
                let problem = "a quote is not closed in its line, or something stands behind the closing one";
                return fault(field.start, field.end, problem, "close the quote, and double those inside, as CSV has it");
            }
            match parts.get_mut(count) {
                Some(part) => *part = Some(field).filter(|field| !field.is_empty()),
                None if field.is_empty() => {}
                None => return fault(field.start, field.end, "this has more than three fields", EDGE),
            }
            count += 1;
        }
        let [Some(node), Some(other), weight] = parts else {
            return fault(first, last, "an edge has two nodes, and here is one", EDGE);
        };
        let weight = match weight.map(|field| (field, long_number(field.raw(text)))) {
            None if count > 2 => return fault(first, last, "the weight is missing", EDGE),
            None => 1.0,
            Some((_, Ok(weight))) if weight >= 0.0 && weight.is_finite() => weight,
            Some((field, Ok(weight))) if weight < 0.0 => {
                let remedy = "leave the edge out: a cut goes by what edges cost, and none earns anything";
                return fault(field.start, field.end, "the weight is below 0", remedy);
            }
            Some((field, Err(Why::Range))) => {
                return fault(field.start, field.end, "the weight is out of the range of 32-bit floats", "scale the weights below 3.4e38");
            }
            Some((field, _)) => return fault(field.start, field.end, "the weight is no finite number", NUMBER),
        };
        let (from, to) = (node.value(text), other.value(text));
        if from == to {
            return fault(node.start, other.end, "both ends are one node, and such an edge is never cut", "leave it out");
        }
        rows.rating(Id::Name(&from), Id::Name(&to), weight);
        *place = end;
        Ok(())
    }
}

/// Whether the first two fields of a file are names of columns.
fn is_heading(ends: &[String]) -> bool {
    const NAMES: [[&str; 2]; 6] = [["source", "target"], ["from", "to"], ["src", "dst"], ["node", "node"], ["node1", "node2"], ["u", "v"]];
    NAMES.iter().any(|names| names.iter().copied().eq(ends.iter().map(|end| end.trim_matches('"'))))
}
