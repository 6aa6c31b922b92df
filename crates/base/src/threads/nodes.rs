//! Memory domains (NUMA nodes): which cores are near which memory, as Linux tells it.
use std::{fs, path::Path, sync::OnceLock};

/// The cores of each memory domain; empty where there is one, or where the system does not tell.
pub fn nodes() -> &'static [Vec<usize>] {
    static NODES: OnceLock<Vec<Vec<usize>>> = OnceLock::new();
    NODES.get_or_init(|| nodes_in(Path::new("/sys/devices/system/node")))
}

fn nodes_in(folder: &Path) -> Vec<Vec<usize>> {
    let cores = |node: usize| list(&fs::read_to_string(folder.join(format!("node{node}/cpulist"))).ok()?);
    let online = fs::read_to_string(folder.join("online")).ok().and_then(|text| list(&text)).unwrap_or_default();
    // A domain may have memory alone.
    let nodes: Vec<_> = online.into_iter().filter_map(cores).filter(|cores| !cores.is_empty()).collect();
    if nodes.len() > 1 { nodes } else { Vec::new() }
}

/// `0-3,8` as numbers.
fn list(text: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        numbers.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_read_as_the_system_lists_them() {
        let folder = tempfile::tempdir().unwrap();
        assert!(nodes_in(folder.path()).is_empty());
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("online", "0\n");
        put("node0/cpulist", "0-1\n");
        assert!(nodes_in(folder.path()).is_empty(), "one domain is none");
        put("online", "0-2\n");
        put("node0/cpulist", "0-1,4\n");
        put("node1/cpulist", "\n");
        put("node2/cpulist", "2-3\n");
        assert_eq!(nodes_in(folder.path()), [vec![0, 1, 4], vec![2, 3]]);
        put("online", "many\n");
        assert!(nodes_in(folder.path()).is_empty());
    }
}
