//! How much memory there is for us, and how much was used: what decides whether data are visited in windows, and what a run tells.
//!
//! Linux alone is asked, by its files under `/proc` and `/sys`; elsewhere nothing is known, and data are taken to fit.
use crate::{Error, Result};
use std::path::Path;

/// Memory that this process used, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// At most at any time, mapped files included.
    pub peak: u64,
    /// Now, of its own: without files.
    pub own: u64,
}

/// Bytes that can still be had: what the system has available (what it holds of files counts as such), or what the process' control group
/// may still take, whichever is less. None where it is not known.
pub fn available() -> Option<u64> {
    let system = field(Path::new("/proc/meminfo"), "MemAvailable:")? << 10;
    Some(in_control_groups(Path::new("/sys/fs/cgroup"), &read(Path::new("/proc/self/cgroup"))).map_or(system, |room| room.min(system)))
}

/// What was used so far. None where it is not known.
pub fn used() -> Option<Used> {
    let status = |name| field(Path::new("/proc/self/status"), name).map(|kilobytes| kilobytes << 10);
    Some(Used { peak: status("VmHWM:")?, own: status("RssAnon:")? })
}

/// Asks for memory before it is taken: what does not fit is refused with the figures, where the system would let it be taken and then end
/// the process. Where it is not known what is free, all is taken to fit.
pub fn ask(bytes: u64, what: impl FnOnce() -> String, remedy: &'static str) -> Result<()> {
    const SMALL: u64 = 16 << 20; // not worth a look
    if bytes <= SMALL {
        return Ok(());
    }
    match available().filter(|&free| bytes > free) {
        Some(free) => Err(Error::NoRoom { what: what(), bytes, free: Some(free), remedy }),
        None => Ok(()),
    }
}

/// Of memory that the system has refused.
pub fn refused(bytes: u64, what: String, remedy: &'static str) -> Error {
    Error::NoRoom { what, bytes, free: available().filter(|&free| bytes > free), remedy }
}

/// The least that is left in the control groups of a process and in those around them, for both versions of control groups.
fn in_control_groups(mounted: &Path, groups: &str) -> Option<u64> {
    let left = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
        let (roots, limits, taken): (_, &[_], _) = if number == "0" && controllers.is_empty() {
            // Above `high` a group is not ended but slowed, until it has given back.
            (vec![mounted.to_owned(), mounted.join("unified")], &["memory.max", "memory.high"], "anon")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (vec![mounted.join("memory")], &["memory.limit_in_bytes"], "total_rss")
        } else {
            return None;
        };
        let of_group = |folder: &Path| -> Option<u64> {
            let limit = |name: &&str| read(&folder.join(name)).trim().parse::<u64>().ok(); // `max`: none
            let limit = limits.iter().filter_map(limit).min()?;
            Some(limit.saturating_sub(field(&folder.join("memory.stat"), taken).unwrap_or(0)))
        };
        let around = Path::new(group.trim_start_matches('/')).ancestors();
        around.flat_map(|group| roots.iter().map(move |root| root.join(group))).filter_map(|folder| of_group(&folder)).min()
    };
    groups.lines().filter_map(left).min()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The number behind a name at the beginning of a line.
fn field(path: &Path, name: &str) -> Option<u64> {
    let text = read(path);
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.next()?.parse().ok()).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_counts_less_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("memory/a/memory.limit_in_bytes", "5000\n");
        write("memory/a/memory.stat", "cache 77\ntotal_rss 1000\n");
        write("memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory.max", "max\n");
        write("c/memory.max", "3000\n");
        write("c/memory.high", "max\n");
        write("c/memory.stat", "anon 500\nfile 2400\n");
        write("e/memory.max", "3000\n");
        write("e/memory.high", "2000\n");
        let left = |groups: &str| in_control_groups(folder.path(), groups);
        assert_eq!(left("5:cpu:/a/b\n4:memory,pids:/a/b\n0::/\n"), Some(4000));
        assert_eq!(left("4:memory:/elsewhere\n0::/c/d\n"), Some(2500));
        assert_eq!(left("0::/e\n"), Some(2000));
        assert_eq!(left("0::/\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_does_not_fit_is_refused_with_the_figures() {
        ask(1 << 20, || unreachable!(), "").unwrap();
        let refused = ask(3 << 50, || "numbers".into(), "use fewer").unwrap_err().to_string();
        assert!(refused.starts_with("numbers take 3.4 PB of memory, and ") && refused.ends_with(" are free; use fewer"), "{refused}");
        // What is free and yet not given is not said to be too little.
        let refused = super::refused(4096, "numbers".into(), "use fewer").to_string();
        assert_eq!(refused, "numbers take 0.0 MB of memory, and the system gives no more (see ulimit -v); use fewer");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        let used = used().unwrap();
        assert!(used.peak >= used.own && used.own > 1 << 16, "{used:?}");
        assert!(available().unwrap() > 1 << 20);
    }
}
