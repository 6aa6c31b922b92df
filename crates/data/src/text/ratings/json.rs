//! Ratings as JSON, an object a line: they are not read, and told how they become a table.

use serde_json::{Map, Value};

use super::heading::Roles;
use crate::bytes::lines;
use crate::text::fault::Bad;

/// What is wrong with a text that begins with a rating as JSON. Where it is not `given` that these are ratings, a field has to be called as
/// one: what somebody bought may have a label of another name.
pub(crate) fn rating(text: &[u8], given: bool) -> Option<Bad> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (number, (start, line)) = (0..).zip(lines(text)).find(|(_, (_, line))| !line.trim_ascii().is_empty())?;
    let fields: Map<String, Value> = serde_json::from_slice(line.trim_ascii()).ok()?;
    let names: Vec<String> = fields.keys().cloned().collect();
    let named = Roles::of(&names);
    let roles = if given { named.complete(&names) } else { named };
    let path = |column: Option<usize>| names.get(column?).map(|name| path(name));
    let paths = [path(roles.user)?, path(roles.item)?, path(roles.rating)?].join(", ");
    let or_label = if given { "" } else { "; if these are rows, say which field is the label in `label`" };
    let problem = "these are ratings as JSON, an object a line, and ratings are read as tables";
    let remedy = format!("write a line each, as `jq -r '[{paths}] | @csv'` does{or_label}");
    Some(Bad::of(text, number, start, start..start + line.trim_ascii_end().len(), problem, remedy))
}

/// A field as `jq` takes it, within single quotes.
fn path(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_plain { format!(".{name}") } else { format!(".{}", Value::from(name)).replace('\'', "\\u0027") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn told(text: &str, given: bool) -> Option<String> {
        rating(text.as_bytes(), given).map(|bad| bad.error("x".as_ref(), 0).to_string())
    }

    #[test]
    fn fields_are_told_by_their_names() {
        for (text, paths) in [
            (r#"{"user": "a", "item": 7, "rating": 4}"#, ".user, .item, .rating"),
            (r#"{"rating":3.5,"timestamp":1,"userId":1,"movieId":2}"#, ".userId, .movieId, .rating"),
            (r#"{"User-ID": 1, "ISBN": "x", "Book's Rating": 5}"#, r#"."User-ID", .ISBN, ."Book\u0027s Rating""#),
        ] {
            for given in [false, true] {
                let told = told(&format!("\n{text}\n{text}\n"), given).unwrap_or_default();
                let remedy = format!("`jq -r '[{paths}] | @csv'` does");
                assert!(told.contains("x:2:1") && told.contains(&remedy) && told.contains("`label`") != given, "{told}");
            }
        }
        // What `jq` makes of them is read.
        for table in ["\"a\",7,4\n\"b\",7,3\n", "1,2,3.5\n1,3,4\n"] {
            assert_eq!(Format::detect(table.as_bytes()), Some(Format::Ratings), "{table}");
        }
        // What is no rating by its name may be the label of a row.
        let bought = r#"{"customer": "a", "product": "b", "returned": 1}"#;
        assert!(told(bought, false).is_none());
        assert!(told(bought, true).is_some_and(|told| told.contains("[.customer, .product, .returned]")));
        assert!(told("1,2,3\n", true).is_none() && told(r#"{"a": 1}"#, true).is_none());
    }
}
