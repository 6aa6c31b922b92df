//! Terminals: the nodes whose labels are known. A file has one a line, `node` or `node name`; the name is that of the label. Between both is a
//! tab, or the first blank where there is no tab; a line that may be read in two ways is refused.
use hogwild_base::{Error, Result};
use hogwild_data::Ids;
use std::{collections::HashMap, fs, path::Path};

/// More labels than a model file's tensors may have.
const MOST: usize = 4096;
const LINE: &str = "write a terminal a line: `node`, or `node name of its label`, with a tab between both where nodes have blanks";

/// A terminal as it is written.
struct Terminal {
    line: u64,
    /// Of the node, in bytes from 1.
    column: u64,
    node: String,
    /// The line as it stands, where it was split at a blank.
    whole: Option<String>,
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
                let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() as u64 + 1;
                return Err(terminals.bad((line, column), "", "the line is no UTF-8", "write ids as text of UTF-8"));
            }
        };
        let (mut nodes, mut names) = (HashMap::new(), HashMap::new());
        for (number, line) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(&text).lines()) {
            let (all, line) = (line, line.trim());
            // By where it lies in the line.
            let column = |part: &str| (part.as_ptr() as usize).saturating_sub(all.as_ptr() as usize) as u64 + 1;
            if line.is_empty() || line.strip_prefix('#').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '#'])) {
                continue;
            }
            // Between tabs ids may have blanks.
            let parts = all.split_once('\t').filter(|(node, _)| !node.trim().is_empty());
            let whole = parts.is_none().then(|| line.split_once(char::is_whitespace)).flatten();
            let (node, name) = parts.or(whole).map_or((line, line), |(node, name)| (node.trim(), name.trim()));
            let name = if name.is_empty() { node } else { name };
            for (known, text, what) in [(&mut nodes, node, "the node"), (&mut names, name, "the name")] {
                if let Some(first) = known.insert(text.to_owned(), number) {
                    let problem = format!("{what} stands twice: in line {first} too");
                    return Err(terminals.bad(
                        (number, column(text)),
                        text,
                        &problem,
                        "leave one of them out: a node has one label, and a label one terminal",
                    ));
                }
            }
            let whole = whole.map(|_| line.to_owned());
            terminals.all.push(Terminal { line: number, column: column(node), node: node.to_owned(), whole, name: name.to_owned() });
        }
        let count = terminals.all.len();
        if !(2..=MOST).contains(&count) {
            let problem = format!("has {count} terminals, and a cut takes from 2 to {MOST}");
            return Err(Error::BadFile { path: path.to_owned(), problem, remedy: LINE });
        }
        Ok(terminals)
    }

    fn bad(&self, (line, column): (u64, u64), text: &str, problem: &str, remedy: &str) -> Error {
        let text = text.chars().take(60).collect();
        Error::BadRow { path: self.path.to_owned(), line, column, text, problem: problem.into(), remedy: remedy.into() }
    }

    /// The nodes by name.
    pub fn nodes(&self) -> Ids {
        self.all.iter().map(|terminal| terminal.node.as_str()).collect()
    }

    /// Lines that were split at a blank, as they stand; of others the node.
    pub fn lines(&self) -> Ids {
        self.all.iter().map(|terminal| terminal.whole.as_ref().unwrap_or(&terminal.node).as_str()).collect()
    }

    /// What their labels are called.
    pub fn labels(&self) -> Ids {
        self.all.iter().map(|terminal| terminal.name.as_str()).collect()
    }

    /// Takes the numbers of [`nodes`](Self::nodes) and of [`lines`](Self::lines).
    ///
    /// # Errors
    /// Names the first that is no node of the graph, for which `none` stands, or of which it is not plain what its node is.
    pub fn check_found(&self, [nodes, lines]: [&[u32]; 2], none: u32) -> Result<()> {
        for ((terminal, &node), &line) in self.all.iter().zip(nodes).zip(lines) {
            let place = (terminal.line, terminal.column);
            if let Some(whole) = terminal.whole.as_ref().filter(|_| line != none) {
                let problem = format!("the whole line is a node, and is split at its first blank into `{}` and a name", terminal.node);
                return Err(self.bad(place, whole, &problem, "write a tab behind the node: `node<tab>name`"));
            }
            if node == none {
                let remedy = match terminal.whole {
                    Some(_) => "give a node that has edges, or leave it out; behind a node with blanks write a tab",
                    None => "give a node that has edges, or leave it out; quotes are part of a node here",
                };
                return Err(self.bad(place, &terminal.node, "no edge has this node", remedy));
            }
        }
        Ok(())
    }
}
