//! Each example runs to its end. They are built by `cargo test`, not by `cargo test --test suite`: those that are not there are passed
//! over.
use std::{path::Path, process::Command};

#[test]
fn every_example_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = std::env::current_exe().unwrap();
    let built = built.parent().and_then(Path::parent).unwrap().join("examples");
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(root.join("examples")).unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_string();
        let program = built.join(&name);
        if !program.exists() {
            println!("{name} is not built");
            continue;
        }
        let data = ["data/reviews.train.svm", "data/reviews.test.svm"].map(|path| root.join(path));
        let arguments = match name.as_str() {
            "landscape" => vec![folder.path().to_owned()],
            "which_rule" => data.to_vec(),
            _ => Vec::new(),
        };
        let output = Command::new(program).args(arguments).current_dir(root).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty() || name == "landscape", "{name} says nothing");
    }
}
