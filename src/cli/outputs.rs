//! What a command writes is none of what it reads, and no two outputs are one file: found out before the work, and before anything is
//! opened for writing. Files are told by device and inode, so through links, hard links and `./`; what is not there yet by its folder and
//! name.
use anyhow::bail;
use hogwild::{OutputFile, data::is_safetensors};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Which file a path means.
#[derive(PartialEq)]
enum Identity {
    #[cfg(unix)]
    There {
        device: u64,
        inode: u64,
    },
    Path(PathBuf),
}

/// None: it is a device such as `/dev/null`, which may be anything at once.
fn identity(path: &Path) -> Option<Identity> {
    let path = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    #[cfg(unix)]
    if let Ok(found) = path.metadata() {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let kind = found.file_type();
        return (!kind.is_char_device()).then(|| Identity::There { device: found.dev(), inode: found.ino() });
    }
    let target = OutputFile::target(path);
    let folder = OutputFile::folder_of(&target);
    let (folder, name) = (folder.canonicalize().unwrap_or_else(|_| folder.to_owned()), target.file_name()?);
    Some(Identity::Path(folder.join(name)))
}

/// Refuses an output that is one of the inputs, or another output; or that cannot be a file. Outputs come with the options that name them.
pub fn check<'a>(inputs: impl IntoIterator<Item = &'a PathBuf>, outputs: &[(&str, Option<&PathBuf>)]) -> anyhow::Result<()> {
    let inputs: Vec<_> = inputs.into_iter().map(|path| (path, identity(path))).collect();
    let outputs: Vec<_> = outputs.iter().filter_map(|&(option, path)| path.map(|path| (option, path, identity(path)))).collect();
    for (i, (option, path, identity)) in outputs.iter().enumerate() {
        if path.as_os_str() == "-" {
            bail!("{option} -: this cannot be written to standard output; name a file (./- for one of that name)");
        }
        if path.is_dir() {
            bail!("{option} {}: is a folder; name a file in it", path.display());
        }
        let folder = OutputFile::folder_of(path);
        if !folder.is_dir() {
            bail!("{}: no such folder; make it first", folder.display());
        }
        if let Some((input, _)) = inputs.iter().find(|(_, input)| identity.is_some() && input == identity) {
            bail!("{option} {}: is an input, {}, which would be lost; name another file", path.display(), input.display());
        }
        if let Some((other, as_path, _)) = outputs[..i].iter().find(|(_, _, other)| identity.is_some() && other == identity) {
            bail!("{option} {}: is the file of {other} {}: two outputs; give each a file of its own", path.display(), as_path.display());
        }
    }
    Ok(())
}

/// Refuses an output that will not be possible to write as a file: a device, a pipe, or in a folder that takes no files.
pub fn check_writable<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> hogwild::Result<()> {
    paths.into_iter().try_for_each(|path| OutputFile::create(path).map(drop))
}

/// Where a model goes that is not to replace the one at `path`: beside it, with the reason in its name, and a number where there is such a
/// one.
pub fn beside(path: &Path, why: &str) -> PathBuf {
    let stem = if is_safetensors(path) { path.file_stem() } else { path.file_name() }.unwrap_or_default();
    let name = |number: usize| {
        let mut name = OsString::from(stem);
        name.push(if number == 1 { format!(".{why}.safetensors") } else { format!(".{why}-{number}.safetensors") });
        path.with_file_name(name)
    };
    (1..).map(name).find(|name| name.symlink_metadata().is_err()).unwrap_or_else(|| name(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_the_same_however_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("data"), "").unwrap();
        fs::create_dir(at("sub")).unwrap();
        let mut same = vec![at("data"), at("./data"), at("sub/../data")];
        #[cfg(unix)]
        {
            fs::hard_link(at("data"), at("hard")).unwrap();
            std::os::unix::fs::symlink("data", at("soft")).unwrap();
            std::os::unix::fs::symlink("new", at("dangling")).unwrap();
            same.extend([at("hard"), at("soft")]);
            assert!(identity(&at("dangling")) == identity(&at("sub/../new")));
            assert!(identity(Path::new("/dev/null")).is_none());
        }
        let data = at("data");
        for path in &same {
            let refused = check([&data], &[("--log", Some(path))]).unwrap_err().to_string();
            assert!(refused.starts_with("--log ") && refused.contains("is an input"), "{refused}");
        }
        let (new, also) = (at("new"), at("sub/../new"));
        let refused = check([&data], &[("--out", Some(&new)), ("--plot", None), ("--log", Some(&also))]).unwrap_err().to_string();
        assert!(refused.contains("--log") && refused.contains("--out") && refused.contains("two outputs"), "{refused}");
        check([&data], &[("--out", Some(&new)), ("--log", Some(&at("sub/new")))]).unwrap();
    }

    #[test]
    fn a_model_beside_another_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let name = |path: &str| beside(&at(path), "interrupted").file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(name("m.safetensors"), "m.interrupted.safetensors");
        assert_eq!(name("m.bin"), "m.bin.interrupted.safetensors");
        fs::write(at("m.interrupted.safetensors"), "").unwrap();
        assert_eq!(name("m.safetensors"), "m.interrupted-2.safetensors");
    }
}
