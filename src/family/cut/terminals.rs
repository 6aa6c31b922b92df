//! Terminals: the nodes whose labels are known. A file has one a line, `node` or `node name`; the name is that of the label.
use hogwild_base::{Error, Result};
use hogwild_data::Ids;
use std::{collections::HashMap, fs, path::Path};

/// More labels than a model file's tensors may have.
const MOST: usize = 4096;
const LINE: &str = "write a terminal a line: `node`, or `node name of its label`";

/// A terminal as it is written.
struct Terminal {
    line: u64,
    node: String,
    /// Of its label.
    name: String,
}

/// The terminals of a file, in the order of their labels.
pub(super) struct Terminals<'a> {
    path: &'a Path,
    all: Vec<Terminal>,
}

impl<'a> Terminals<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it: fewer than two, a node or a name that stands twice.
    pub fn read(path: &'a Path) -> Result<Terminals<'a>> {
        let text = fs::read(path).map_err(Error::io(path, "read"))?;
        let mut terminals = Terminals { path, all: Vec::new() };
        let text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
                return Err(terminals.bad(line, "", "the line is no UTF-8", "write ids as text of UTF-8"));
            }
        };
        let (mut nodes, mut names) = (HashMap::new(), HashMap::new());
        for (number, line) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(&text).lines()) {
            let line = line.trim();
            if line.is_empty() || line.strip_prefix('#').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '#'])) {
                continue;
            }
            // Between tabs ids may have blanks.
            let parts = line.split_once('\t').or_else(|| line.split_once(char::is_whitespace));
            let (node, name) = parts.map_or((line, line), |(node, name)| (node.trim(), name.trim()));
            for (known, text, what) in [(&mut nodes, node, "the node"), (&mut names, name, "the name")] {
                if let Some(first) = known.insert(text.to_owned(), number) {
                    let problem = format!("{what} stands twice: in line {first} too");
                    return Err(terminals.bad(
                        number,
                        text,
                        &problem,
                        "leave one of them out: a node has one label, and a label one terminal",
                    ));
                }
            }
            terminals.all.push(Terminal { line: number, node: node.to_owned(), name: name.to_owned() });
        }
        let count = terminals.all.len();
        if !(2..=MOST).contains(&count) {
            let problem = format!("has {count} terminals, and a cut takes from 2 to {MOST}");
            return Err(Error::BadFile { path: path.to_owned(), problem, remedy: LINE });
        }
        Ok(terminals)
    }

    fn bad(&self, line: u64, text: &str, problem: &str, remedy: &str) -> Error {
        let text = text.chars().take(60).collect();
        Error::BadRow { path: self.path.to_owned(), line, column: 1, text, problem: problem.into(), remedy: remedy.into() }
    }

    /// The nodes by name.
    pub fn nodes(&self) -> Ids {
        self.all.iter().map(|terminal| terminal.node.as_str()).collect()
    }

    /// What their labels are called.
    pub fn labels(&self) -> Ids {
        self.all.iter().map(|terminal| terminal.name.as_str()).collect()
    }

    /// # Errors
    /// Names the first that is no node of the graph, for which `none` stands.
    pub fn check_found(&self, found: &[u32], none: u32) -> Result<()> {
        match self.all.iter().zip(found).find(|(_, node)| **node == none) {
            None => Ok(()),
            Some((terminal, _)) => {
                Err(self.bad(terminal.line, &terminal.node, "no edge has this node", "give a node that has edges, or leave it out"))
            }
        }
    }
}
