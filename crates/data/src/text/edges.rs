//! Edges of a graph: `node node [weight]` a line. Both ends are nodes of one kind; which of them stands first means nothing.
//!
//! They are kept as ratings are: the first node in place of a user, the other in place of an item, the weight in place of the rating.

use crate::bytes::{blank, line_end, part, readable};
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
        let line = |at: usize| fields(first_lines, at, separator).filter(|field| !field.is_empty()).map(|field| field.raw(first_lines));
        let is_heading = is_heading(line(at).collect(), sample.iter().skip(1).map(|&(_, at)| line(at).collect()));
        let note = is_heading.then(|| {
            let whole = part(first_lines, at..line_end(first_lines, at)).trim_ascii();
            format!("edges: the first line, `{}`, is taken for a heading; if it is an edge, give it a weight", readable(whole))
        });
        let start = match sample.get(1) {
            _ if !is_heading => Start { at, lines: number },
            Some(&(number, at)) => Start { at, lines: number },
            None => Start { at: first_lines.len(), lines: number + 1 },
        };
        Ok(Begun { start, note, ..Begun::all(Edges { separator }) })
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
            Some((field, Ok(0.0))) if !is_zero(field.raw(text)) => {
                let remedy = "scale the weights, or write 0 for an edge that costs nothing";
                return fault(field.start, field.end, "the weight is below the least 32-bit float, and would be 0", remedy);
            }
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

/// Whether a number is written with no digit but zeros before its exponent.
fn is_zero(text: &[u8]) -> bool {
    text.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e')).all(|byte| !(b'1'..=b'9').contains(byte))
}

/// Whether the first line of a file names columns: in words that are usual, or in any where all other ends are whole numbers. What has a
/// weight is an edge.
fn is_heading<'a>(first: Vec<&[u8]>, mut others: impl Iterator<Item = Vec<&'a [u8]>>) -> bool {
    const NAMES: [[&str; 2]; 6] = [["source", "target"], ["from", "to"], ["src", "dst"], ["node", "node"], ["node1", "node2"], ["u", "v"]];
    let Some((&[u, v], rest)) = first.split_first_chunk::<2>() else { return false };
    if rest.first().is_some_and(|weight| long_number(weight).is_ok()) {
        return false;
    }
    let ends = [u, v].map(|end| String::from_utf8_lossy(end).trim_matches('"').to_lowercase());
    let is_number = |end: &[u8]| end.trim_ascii().iter().all(u8::is_ascii_digit);
    let is_word = |end: &[u8]| {
        end.iter().any(u8::is_ascii_alphabetic) && end.iter().all(|&byte| byte.is_ascii_alphabetic() || b"_-\" ".contains(&byte))
    };
    let mut has_others = false;
    let mut all_numbers = || {
        others.all(|ends| {
            has_others = true;
            ends.iter().take(2).all(|end| is_number(end))
        })
    };
    NAMES.contains(&[ends[0].as_str(), ends[1].as_str()]) || is_word(u) && is_word(v) && all_numbers() && has_others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_told_from_edges() {
        let of = |lines: &[&'static str]| {
            let mut lines = lines.iter().map(|line| line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
            is_heading(lines.next().unwrap(), lines)
        };
        for good in [&["u v"][..], &["From To Cost", "a b 1"], &["FromNodeId ToNodeId", "1 2", "2 3"], &["\"source\" target w"]] {
            assert!(of(good), "{good:?}");
        }
        for bad in [
            &["u v 2"][..],
            &["from to 1e3", "1 2 3"],
            &["ann bob", "1 2", "bob 3"],
            &["ann bob"],
            &["a1 b1", "1 2"],
            &["%%Matrix matrix", "1 2"],
            &["u"],
            &["1 2"],
        ] {
            assert!(!of(bad), "{bad:?}");
        }
        assert!([&b"0"[..], b"0.00e5", b"-0"].iter().all(|text| is_zero(text)) && !is_zero(b"1e-60") && !is_zero(b"0.01e-99"));
    }
}
