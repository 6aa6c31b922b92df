//! Tables of text: a heading, and columns as wide as their longest entry, all to the right.

pub struct Table(Vec<Vec<String>>);

impl Table {
    pub fn new(heading: &[&str]) -> Table {
        Table(vec![heading.iter().map(ToString::to_string).collect()])
    }

    pub fn row(&mut self, row: impl Into<Vec<String>>) {
        self.0.push(row.into());
    }

    pub fn text(&self) -> String {
        let width = |column: usize| self.0.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
        let line = |row: &Vec<String>| {
            let entries = row.iter().enumerate().map(|(column, entry)| format!("  {entry:>0$}", width(column)));
            entries.collect::<String>() + "\n"
        };
        self.0.iter().map(line).collect()
    }
}
