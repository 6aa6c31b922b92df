//! Folders for packed text that is not kept: `hogwild-XXXXXX` in a folder for temporary files.
//!
//! A file `lock` in it is locked for as long as the folder is used. What a killed run left is removed by a later one: a folder of just such
//! a name that holds just what we write there. Others have the right to the name too, so nothing else is touched.
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

use hogwild_base::{left, output::is_part};

const NAME: &str = "hogwild-";
const LOCK: &str = "lock";
/// The packed file in the folder.
pub(crate) const PACKED: &str = "packed.safetensors";

/// A folder, with the lock that says it is in use.
pub(crate) fn folder_in(place: &Path) -> io::Result<(TempDir, File)> {
    loop {
        let folder = tempfile::Builder::new().prefix(NAME).rand_bytes(left::LETTERS).tempdir_in(place)?;
        let path = folder.path().join(LOCK);
        let lock = File::create(&path)?;
        if left::lock(&lock, &path) {
            return Ok((folder, lock));
        }
    }
}

/// Removes the folders that killed runs left in a folder for temporary files, when they are an hour old.
pub fn remove_left_folders(place: &Path) {
    remove_unused(place, left::LONG);
}

fn remove_unused(place: &Path, age: Duration) {
    for folder in fs::read_dir(place).into_iter().flatten().flatten() {
        let ours = left::is_temporary(folder.file_name().as_encoded_bytes(), NAME, "");
        if ours && folder.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_folder(&folder.path(), age);
        }
    }
}

/// Removes a folder if nobody uses it and all in it is ours. What cannot be removed stays, the lock to the last.
fn remove_folder(folder: &Path, age: Duration) {
    let lock = folder.join(LOCK);
    let Some(held) = left::unused(&lock, age).filter(|held| held.metadata().is_ok_and(|found| found.len() == 0)) else { return };
    let Some(files) = our_files(folder) else { return };
    if files.iter().all(|name| fs::remove_file(folder.join(name)).is_ok()) && fs::remove_file(&lock).is_ok() {
        let _ = fs::remove_dir(folder); // something has come since: it stays
    }
    drop(held);
}

/// The names of the files beside the lock; none where there is anything that we do not write.
fn our_files(folder: &Path) -> Option<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name();
        let is_ours = name == LOCK || name == PACKED || is_part(&name);
        (is_ours && entry.file_type().is_ok_and(|kind| kind.is_file())).then_some(())?;
        names.push(name);
    }
    names.retain(|name| name != LOCK);
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn only_folders_that_we_made_and_nobody_uses_go() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let make = |folder: &str, files: &[(&str, &str)]| {
            fs::create_dir(at(folder)).unwrap();
            for (name, text) in files {
                fs::write(at(folder).join(name), text).unwrap();
            }
            let lock = File::options().append(true).open(at(folder).join(LOCK)).unwrap();
            lock.set_modified(SystemTime::now() - 2 * left::LONG).unwrap();
            lock
        };
        let packed = [(LOCK, ""), (PACKED, "packed"), (".hogwild-Abc123.part", "half")];
        make("hogwild-gone00", &packed);
        make("hogwild-gone01", &packed[..1]);
        make("hogwild-mydata", &[(LOCK, ""), ("precious.txt", "the user's")]);
        make("hogwild-mynote", &[(LOCK, "the user's"), (PACKED, "packed")]);
        make("hogwild-longer0", &packed);
        make("hogwild-a-b-c-", &packed);
        make("hogwild-folder", &packed[..1]);
        fs::create_dir(at("hogwild-folder").join(PACKED)).unwrap();
        make("hogwild-recent", &packed).set_modified(SystemTime::now()).unwrap();
        let used = make("hogwild-in0use", &packed);
        used.lock().unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("hogwild-longer0"), at("hogwild-linked")).unwrap();
        let before = fs::read_dir(place.path()).unwrap().count();
        remove_unused(place.path(), left::LONG);
        assert!(!at("hogwild-gone00").exists() && !at("hogwild-gone01").exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), before - 2);
        for folder in ["hogwild-mynote", "hogwild-longer0", "hogwild-a-b-c-", "hogwild-recent", "hogwild-in0use"] {
            assert!(at(folder).join(PACKED).exists(), "{folder}");
        }
        assert!(at("hogwild-mydata/precious.txt").exists());
        let (folder, _lock) = folder_in(place.path()).unwrap();
        assert!(left::is_temporary(folder.path().file_name().unwrap().as_encoded_bytes(), NAME, ""));
    }

    #[test]
    fn many_at_once_take_no_folder_from_each_other() {
        let place = tempfile::tempdir().unwrap();
        let work = || {
            for _ in 0..100 {
                let (folder, _lock) = folder_in(place.path()).unwrap();
                fs::write(folder.path().join(PACKED), "packed").unwrap();
                remove_unused(place.path(), Duration::ZERO);
                assert!(folder.path().join(PACKED).exists());
            }
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(work))));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
