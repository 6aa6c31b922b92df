//! `user=2,item=3,rating=4,weight=5`: which columns of a table of ratings are read, by number from 1 or by the heading's names.

use std::fmt;
use std::str::FromStr;

use hogwild_base::Error;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// From 1.
    Number(usize),
    /// By the name in the heading.
    Name(String),
}

impl fmt::Display for Column {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Number(number) => write!(out, "{number}"),
            Column::Name(name) => out.write_str(name),
        }
    }
}

/// Which columns of a table hold users, items, ratings and weights; but for weights, what is `None` is found by the heading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Columns {
    /// Who rated.
    pub user: Option<Column>,
    /// What was rated.
    pub item: Option<Column>,
    /// The rating.
    pub rating: Option<Column>,
    /// How much the rating counts; all count alike where it is `None`. It may be the column of the rating: of counts.
    pub weight: Option<Column>,
}

impl FromStr for Columns {
    type Err = Error;

    /// Reads `user=2,item=3,rating=4`, in any order.
    fn from_str(text: &str) -> Result<Columns, Error> {
        let bad = |problem: String| Error::BadSetting { setting: "columns", value: text.to_owned(), problem };
        let mut columns = Columns::default();
        for part in text.split(',') {
            let (role, column) = part.split_once('=').map(|(role, column)| (role.trim(), column.trim())).unwrap_or((part.trim(), ""));
            let place = match role {
                "user" => &mut columns.user,
                "item" => &mut columns.item,
                "rating" => &mut columns.rating,
                "weight" => &mut columns.weight,
                _ => {
                    return Err(bad(format!(
                        "`{role}` is none of user, item, rating, weight; write user=2,item=3,rating=4, or names for the numbers"
                    )));
                }
            };
            let column = match column.parse() {
                _ if column.is_empty() => return Err(bad(format!("{role} has no column; write {role}=NUMBER or {role}=NAME"))),
                Ok(0) => return Err(bad("columns are counted from 1".into())),
                Ok(number) => Column::Number(number),
                Err(_) => Column::Name(column.to_owned()),
            };
            if place.replace(column).is_some() {
                return Err(bad(format!("{role} is there twice")));
            }
        }
        let Columns { user, item, rating, weight } = &columns;
        let pairs = [
            ("user", user, "item", item),
            ("user", user, "rating", rating),
            ("item", item, "rating", rating),
            ("user", user, "weight", weight),
            ("item", item, "weight", weight),
        ];
        if let Some((a, column, b, _)) = pairs.into_iter().find(|(_, x, _, y)| x.is_some() && x == y) {
            let column = column.as_ref().map(Column::to_string).unwrap_or_default();
            return Err(bad(format!("{a} and {b} are both column {column}; give each its own")));
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_typed() {
        let columns: Columns = "rating = Book-Rating, user=2,item=3".parse().unwrap();
        assert_eq!(columns.rating, Some(Column::Name("Book-Rating".into())));
        assert_eq!((columns.user, columns.item), (Some(Column::Number(2)), Some(Column::Number(3))));
        let columns: Columns = "rating=3,weight=3".parse().unwrap();
        assert_eq!((columns.user, columns.weight), (None, Some(Column::Number(3))));
        for (text, says) in [
            ("user", "has no column"),
            ("who=1", "none of user, item, rating, weight"),
            ("item=2,weight=2", "item and weight are both column 2"),
            ("user=0", "from 1"),
            ("user=1,user=2", "twice"),
            ("user=2,item=3,rating=2", "user and rating are both column 2"),
            ("", "none of user"),
        ] {
            let problem = text.parse::<Columns>().unwrap_err().to_string();
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }
}
