//! `hogwild cache`: what is kept of text that was packed, and how to be rid of it.
use super::{
    environment::{cache_folder, temporary_folder},
    say::{say, show},
};
use clap::{Args, Subcommand};
use hogwild::data::remove_left_folders;
use std::time::Duration;

#[derive(Subcommand)]
pub enum CacheCommand {
    /// Show the cache's files, the least recently used first
    List(ListArgs),
    /// Remove the cache's files; they are packed again where they are needed
    Clear(ClearArgs),
}

#[derive(Args)]
pub struct ListArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct ClearArgs {
    /// Only those that were not used for so long, such as 30d, 12h or 90m [default: all]
    #[arg(long, value_name = "TIME", value_parser = time)]
    older_than: Option<Duration>,
}

/// A number of minutes, hours, days or weeks.
fn time(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
    let read = || {
        let (_, unit) = UNITS.into_iter().find(|&(unit, _)| text.ends_with(unit))?;
        text.get(..text.len() - 1)?.parse::<u64>().ok()?.checked_mul(unit)
    };
    read().map(Duration::from_secs).ok_or_else(|| "a number with m, h, d or w (minutes, hours, days, weeks), such as 30d".into())
}

pub fn run(command: CacheCommand) -> anyhow::Result<()> {
    let cache = cache_folder();
    let folder = cache.as_ref().map(|cache| cache.path().display().to_string()).unwrap_or_default();
    let size = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    match command {
        CacheCommand::List(args) => {
            let entries = cache.map_or(Ok(Vec::new()), |cache| cache.entries())?;
            let total: u64 = entries.iter().map(|entry| entry.bytes).sum();
            let rows = entries.iter().map(|entry| {
                let days = entry.used.elapsed().unwrap_or_default().as_secs_f64() / 86_400.0;
                (entry.path.to_string_lossy().into_owned(), entry.bytes, days)
            });
            if args.json {
                let files: Vec<_> =
                    rows.map(|(file, bytes, days)| serde_json::json!({ "file": file, "bytes": bytes, "days_unused": days })).collect();
                return show(&format!("{}\n", serde_json::json!({ "folder": folder, "bytes": total, "files": files })));
            }
            let text: String = rows.map(|(file, bytes, days)| format!("{:>12}  {days:>6.1} days unused  {file}\n", size(bytes))).collect();
            show(&text)?;
            say!("{} files, {} in {folder}", entries.len(), size(total));
        }
        CacheCommand::Clear(args) => {
            remove_left_folders(&temporary_folder());
            let (files, bytes) = cache.map_or(Ok((0, 0)), |cache| cache.clear(args.older_than.unwrap_or_default()))?;
            show(&format!("{files} files, {} removed from {folder}\n", size(bytes)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_with_a_unit() {
        for (text, seconds) in [("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("1w", 604_800), ("0d", 0)] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "30", "-1d", "1.5h", "3y", "99999999999999999999d", "ää"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
