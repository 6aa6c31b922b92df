//! Graph cuts by the command: what it tells and refuses, and graphs that it makes.
use crate::support::command::{good, hogwild, message, parts, said};
use hogwild::synth::{Kind, Synth};
use std::{collections::HashMap, fmt::Write, fs};

#[test]
fn the_command_cuts_and_tells() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let told = said(at, "synth cut --rows 400 --labels 3 --out g.edges --terminals g.terminals --truth g.truth");
    assert!(told.contains("edges; those between hidden labels cost"), "{told}");
    let train = "train g.edges --model cut --terminals g.terminals --threads 1";
    let told = said(at, &format!("{train} --out m.safetensors --log log.jsonl"));
    assert!(told.contains("g.edges: edges: ") && told.contains("  objective ") && !told.contains("held-out"), "{told}");
    let log = fs::read_to_string(at.join("log.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().find(|line| line.contains("\"epoch\":60")).unwrap()).unwrap();
    let (objective, cut) = (last["valid"]["objective"].as_f64().unwrap(), last["valid"]["cut"].as_f64().unwrap());
    assert!((objective - cut).abs() < 0.05 * cut, "{last}");
    // Each node has a line; of what the model was trained on it says what the run has said.
    let predicted = good(at, "predict m.safetensors");
    assert_eq!(predicted.lines().count(), 403);
    let known: HashMap<_, _> = predicted.lines().filter_map(|line| line.split_once('\t')).collect();
    let truth = fs::read_to_string(at.join("g.truth")).unwrap();
    let right = truth.lines().filter(|line| line.split_once('\t').is_some_and(|(node, label)| known[node] == label)).count();
    // Its parts have seven pixels each.
    assert!(right > 300 && known["400"] == "label0", "{right} of 400");
    let json: serde_json::Value = serde_json::from_str(&good(at, "eval m.safetensors g.edges --json")).unwrap();
    assert!((json["cut"].as_f64().unwrap() - cut).abs() < 1e-6 && (json["objective"].as_f64().unwrap() - objective).abs() < 1e-6, "{json}");
    let shown = good(at, "inspect m.safetensors");
    assert!(shown.contains("nodes 403\n") && shown.contains("labels 3\n") && shown.contains("undecided_nodes 0\n"), "{shown}");
    good(at, "predict m.safetensors -o labels.tsv");
    assert_eq!(fs::read_to_string(at.join("labels.tsv")).unwrap(), predicted);
    good(at, "export m.safetensors --format npz --out m.npz");
    good(at, "export m.safetensors --format tsv --out m.tsv");
    // Packed it is the same graph.
    good(at, "pack g.edges --format edges -o g.safetensors");
    good(at, "train g.safetensors --model cut --terminals g.terminals --threads 1 --out packed.safetensors --quiet");
    assert_eq!(good(at, "predict packed.safetensors"), predicted);
    let told = said(at, &format!("{train} --patience 3 --min-delta 1 --epochs 500"));
    assert!(told.contains("stopped early: the objective got no better for 3 epochs"), "{told}");
    let told =
        good(at, "simulate g.edges --model cut --terminals g.terminals --workers 4 --epochs 3 --hand-over 100 --bandwidth 10 --quiet");
    assert!(told.contains("objective by workers") && !told.contains("held-out"), "{told}");
    let json: serde_json::Value =
        serde_json::from_str(&good(at, "bench g.edges --model cut --terminals g.terminals --threads 1 --rounds 1 --quiet --json")).unwrap();
    let set = &json["data"][0];
    assert_eq!(
        (&set["shape"]["nodes"], &set["loss"], &set["lr_searched"]),
        (&403.into(), &serde_json::Value::Null, &false.into()),
        "{set}"
    );
    // A row a node, whatever room it takes.
    assert!(set["parameter_bytes"].as_u64().unwrap().is_multiple_of(403) && set["kind"] == "edges", "{set}");
    assert!(!shown.contains("loss ") && !told.contains("loss by"), "{shown}{told}");
}

#[test]
fn the_command_refuses_what_a_cut_does_not_take() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("g.edges"), "1 2 1\n2 3 0\n").unwrap();
    fs::write(at.join("g.terminals"), "1\n3\n").unwrap();
    let told = said(at, "train g.edges --model cut --terminals g.terminals --epochs 3 --out m.safetensors");
    assert!(told.contains("1 edges have weight 0"), "{told}");
    fs::write(at.join("bad.edges"), "1 2 1\n2 2 1\n2 3 1\n").unwrap();
    let told = said(at, "train bad.edges --model cut --terminals g.terminals --epochs 3 --on-bad-row skip");
    assert!(told.contains("skipped 1 bad rows"), "{told}");
    fs::write(at.join("one.terminals"), "1\n").unwrap();
    fs::write(at.join("other.edges"), "7 8\n1 8\n").unwrap();
    fs::write(at.join("half.edges"), "1 2\n1 8\n").unwrap();
    assert!(said(at, "eval m.safetensors half.edges").contains("1 of 2 edges are left out"));
    good(at, "export m.safetensors --format tsv --out m.tsv");
    let about = fs::read_to_string(at.join("m.tsv")).unwrap().lines().next().unwrap().to_owned();
    fs::write(at.join("none.tsv"), format!("{about}\n# node id share x 0\nnode\t1\n")).unwrap();
    for (line, says) in [
        ("train g.edges --model cut", "--model cut: give --terminals FILE"),
        // Before the data are read.
        ("train bad.edges --model cut --terminals one.terminals", "one.terminals: has 1 terminals"),
        ("eval m.safetensors other.edges", "other.edges: the model knows both nodes of none of the 2 edges"),
        ("import none.tsv --out n.safetensors", "has 0 labels, and a cut has 2 or more"),
        ("train bad.edges --model cut --terminals g.terminals", "bad.edges:2:1: both ends are one node"),
        ("train g.edges --model cut --terminals g.terminals --valid g.edges", "--valid: is of held-out data"),
        ("train g.edges --model cut --terminals g.terminals --plot x.svg", "--plot: draws held-out loss"),
        ("train g.edges --model cut --terminals g.terminals --rule adam", "--rule adam: "),
        ("train g.edges --model cut --terminals g.terminals --out g.terminals", "is an input"),
        ("train g.edges --terminals g.terminals", "--terminals g.terminals: is of cuts of graphs"),
        ("predict m.safetensors g.edges", "takes no data"),
        ("predict m.safetensors --top 2", "--top: "),
        ("eval m.safetensors g.edges --metrics auc", "--metrics: is of scores"),
        ("explain m.safetensors g.edges", "cut"),
        ("recommend m.safetensors --users all", "users"),
        ("bench --model cut", "give DATA"),
        ("simulate g.edges --model cut", "give --terminals FILE"),
        ("synth text --truth x", "--truth: is of graphs"),
        ("synth cut --labels 1", "--labels 1: must be at least 2"),
        ("synth cut --start-row 5", "--start-row 5: "),
    ] {
        let (code, _, told) = parts(&hogwild(at, line));
        assert!(code == Some(2) && told.contains(says), "{line}: {code:?} {told}");
    }
    // A model of another kind still needs data.
    fs::write(at.join("r.tsv"), "1\t2\t3\n2\t3\t4\n").unwrap();
    good(at, "train r.tsv --epochs 1 --lr 0.1 --out mf.safetensors --quiet");
    let output = hogwild(at, "predict mf.safetensors");
    assert!(output.status.code() == Some(2) && message(&output).contains("DATA is missing"), "{}", message(&output));
}

#[test]
fn the_command_tells_what_is_not_taken_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("t"), "1\n3\n").unwrap();
    fs::write(at.join("g.edges"), "From To\n1 2 3\n2 3\n4 5\n").unwrap();
    let told = said(at, "train g.edges --model cut --terminals t --epochs 3");
    assert!(told.contains("the first line, `From To`, is taken for a heading"), "{told}");
    assert!(told.contains("2 nodes have as much of several labels"), "{told}");
    fs::write(at.join("h.edges"), "1 2 16777217\n2 3 5\n").unwrap();
    let told = said(at, "train h.edges --model cut --terminals t --epochs 3");
    assert!(told.contains("weights are kept to 24 bits: near 16777216 they are rounded to multiples of 2"), "{told}");
}

#[test]
fn each_synthetic_terminal_has_an_edge() {
    for (kind, rows, labels) in [(Kind::CutEntities, 1000, 500), (Kind::CutEntities, 3, 40), (Kind::Cut, 1, 9)] {
        let synth = Synth { kind, rows, labels, ..Synth::default() };
        let mut text = Vec::new();
        synth.write(&mut text, &()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let ends: std::collections::HashSet<&str> = text.lines().filter_map(|line| line.split('\t').nth(1)).collect();
        assert!((rows..rows + labels).all(|terminal| ends.contains(terminal.to_string().as_str())), "{kind:?} {rows} {labels}");
    }
}

#[test]
fn synthetic_graphs_follow_from_the_seed_and_are_graphs() {
    for kind in [Kind::Cut, Kind::CutEntities] {
        let synth = Synth { kind, rows: 3000, labels: 5, ..Synth::default() };
        let write = |synth: &Synth| {
            let mut text = Vec::new();
            synth.write(&mut text, &()).unwrap();
            String::from_utf8(text).unwrap()
        };
        let text = write(&synth);
        assert!(text == hogwild::Threads::new(2).run(|| write(&synth)), "{kind:?}");
        assert_ne!(text, write(&Synth { seed: 2, ..synth.clone() }));
        let mut seen = std::collections::HashSet::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let (u, v, w): (u64, u64, f64) = (fields[0].parse().unwrap(), fields[1].parse().unwrap(), fields[2].parse().unwrap());
            assert!(u < 3000 && v < 3005 && u != v && w > 0.0, "{line}");
            assert!(seen.insert((u, v)), "{kind:?}: {line} stands twice");
        }
        // Each terminal is a node of the graph.
        assert!((3000..3005).all(|terminal| text.lines().any(|line| line.split('\t').nth(1) == Some(&terminal.to_string()))), "{kind:?}");
        let mut terminals = String::new();
        (0..5).for_each(|label| writeln!(terminals, "{}\tlabel{label}", 3000 + label).unwrap());
        let mut written = Vec::new();
        synth.write_terminals(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), terminals);
    }
}
