//! Tables of text: a heading, and columns as wide as their longest entry, all to the right. And how numbers are written there.

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

/// A rate, in millions.
pub fn millions(rate: f64) -> String {
    format!("{:.0}", rate / 1e6)
}

/// A size.
pub fn mebibytes(bytes: usize) -> String {
    let size = bytes as f64 / (1 << 20) as f64;
    format!("{size:.*} MiB", if size < 0.1 { 3 } else { (size < 10.0) as usize })
}
