//! What a run tells on its way: a bar while an epoch runs, a line after it, JSON lines in the log.
use super::{
    eval::{metrics_json, metrics_text},
    say::{Results, is_standard_output, say},
};
use anyhow::Context;
use hogwild::{
    Astray, EpochProgress, EpochReport, InstructionSet, Normalize, Outcome, RateSearchReport, Settings, TriedRate, Watch, WindowReport,
    data::{Data, Opened},
    memory,
};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Follows the run.
pub struct Report {
    bar: ProgressBar,
    quiet: bool,
    epochs: usize,
    started: Instant,
    log: Option<Box<dyn Write>>,
    log_failed: Option<std::io::Error>,
    /// The most bytes of its own that were seen in use.
    own_memory: u64,
}

impl Report {
    /// `inputs`: training data and held-out data as they were typed.
    pub fn new(
        log: Option<&Path>,
        quiet: bool,
        inputs: (&[PathBuf], Option<&Path>),
        settings: &Settings,
        data: &Opened,
    ) -> anyhow::Result<Report> {
        let log = log.map(open).transpose()?;
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let mut report = Report { bar, quiet, epochs: settings.epochs, started: Instant::now(), log, log_failed: None, own_memory: 0 };
        let set = settings.isa.unwrap_or_else(InstructionSet::best);
        report.log(json!({
            "event": "start", "version": env!("CARGO_PKG_VERSION"),
            "data": inputs.0.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            "valid": inputs.1.map(Path::to_string_lossy), "settings": settings.describe(),
            "machine": {
                "cores": std::thread::available_parallelism().map_or(1, |n| n.get()), "instruction_set": set.name(),
                "os": std::env::consts::OS, "architecture": std::env::consts::ARCH,
            },
            "checked_before": data.data.was_checked_before(), "shape": match &data.data {
                Data::Rows(d) => json!({ "rows": d.rows(), "features": d.columns(), "nonzeros": d.nonzeros() }),
                Data::Ratings(d) => json!({ "ratings": d.len(), "users": d.users(), "items": d.items() }),
            },
        }))?;
        Ok(report)
    }

    /// Writes a line of the log, if there is one.
    pub fn log(&mut self, line: Value) -> anyhow::Result<()> {
        if let Some(error) = self.log_failed.take() {
            return Err(error).context("cannot write the log");
        }
        if let Some(log) = &mut self.log {
            writeln!(log, "{line}").and_then(|()| log.flush()).context("cannot write the log")?;
        }
        Ok(())
    }

    /// The same in the midst of the run; what goes wrong is told at the next line that can.
    fn try_log(&mut self, line: Value) {
        if let Some(log) = &mut self.log {
            self.log_failed = writeln!(log, "{line}").and_then(|()| log.flush()).err().or(self.log_failed.take());
        }
    }

    /// A line above the bar, unless quiet.
    fn tell(&self, line: &str) {
        // A bar that was not shown yet would come as an empty one.
        if self.bar.length().is_some() { self.bar.suspend(|| self.say(line)) } else { self.say(line) }
    }

    /// Looks at the memory in use.
    fn see_memory(&mut self) {
        self.own_memory = self.own_memory.max(memory::used().map_or(0, |used| used.own));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// A line for the user, unless quiet.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            say!("{line}");
        }
    }

    /// The last line of the log, with totals.
    pub fn end(mut self, outcome: &Outcome, ended: &str) -> anyhow::Result<()> {
        if let (Some(metrics), Some(model)) = (&outcome.ensemble, &outcome.model) {
            self.say(&format!("ensemble of {}  held-out{}", model.members.len(), metrics_text(metrics)));
        }
        self.see_memory();
        let (own, peak) = (self.own_memory, memory::used().map(|used| used.peak));
        if let Some(peak) = peak {
            let [own, peak] = [own, peak].map(|bytes| bytes as f64 / 1e6);
            self.say(&format!("memory: {own:.0} MB of its own (sampled), at most {peak:.0} MB with mapped data"));
        }
        let total = |f: fn(&EpochReport) -> f64| outcome.epochs.iter().map(f).sum::<f64>() + 0.0; // no epochs sum up to -0
        self.log(json!({
            "event": "end", "ended": ended, "epochs": outcome.epochs.len(), "seconds": total(|e| e.seconds),
            "evaluation_seconds": total(|e| e.evaluation_seconds), "examples": outcome.epochs.iter().map(|e| e.examples).sum::<u64>(),
            "best_epoch": outcome.best, "ensemble": outcome.ensemble.as_ref().map(metrics_json), "settings": outcome.settings.describe(),
            "memory": peak.map(|peak| json!({ "own": own, "peak": peak })),
        }))
    }
}

impl Watch for Report {
    fn progress(&mut self, now: EpochProgress) -> ControlFlow<()> {
        self.see_memory();
        if self.started.elapsed() < Duration::from_secs(1) {
            return ControlFlow::Continue(());
        }
        let racing = now.epoch == 0;
        let (done, of) = if racing { (now.examples, now.of) } else { (now.done, now.of_all) };
        self.bar.set_length(of);
        self.bar.set_position(done);
        let template = if racing { "trying learning rates {bar:30} {msg}" } else { "epoch {msg} {bar:30} {per_sec} {eta} left" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_message(if racing { format!("{done}/{of}") } else { format!("{}/{}", now.epoch, self.epochs) });
        ControlFlow::Continue(())
    }

    fn rate_search(&mut self, race: &RateSearchReport) {
        self.see_memory();
        self.tell(&match race.rates.len() {
            0 => format!("learning rate {}, the rule's default: none is tried here; try others with --lr", race.chosen),
            n if !race.helped => format!(
                "learning rate {}: of {n} tried in {:.2} s none was better on examples held out than a constant prediction, and this is \
                 the largest that does no harm",
                race.chosen, race.seconds
            ),
            n => format!("learning rate {} by a search of {n} in {:.2} s", race.chosen, race.seconds),
        });
        let tried = |tried: &TriedRate| {
            let TriedRate { rate, loss, training, examples } = *tried;
            json!({ "lr": rate, "loss": loss, "training_loss": training, "examples": examples })
        };
        let rates: Vec<_> = race.rates.iter().map(tried).collect();
        self.try_log(json!({
            "event": "rate_search", "rates": rates, "chosen": race.chosen, "constant_loss": race.constant, "helped": race.helped,
            "seconds": race.seconds,
        }));
    }

    fn scaled(&mut self, how: Normalize, [least, most]: [f64; 2]) {
        self.tell(&format!(
            "features are from {least:.1e} to {most:.1e} in size: each is divided by its largest absolute value \
             (--normalize {}; none: as they are)",
            how.name()
        ));
        self.try_log(json!({ "event": "scaled", "normalize": how.name(), "least": least, "most": most }));
    }

    fn astray(&mut self, astray: &Astray) {
        // That a run diverged is told at its end.
        if astray.next.is_some() || !astray.diverged {
            self.tell(&of_astray(astray));
        }
        let Astray { epoch, loss, constant, rate, next, .. } = *astray;
        self.try_log(json!({ "event": "astray", "epoch": epoch, "loss": loss, "constant_loss": constant, "lr": rate, "next": next }));
    }

    fn window(&mut self, window: &WindowReport) {
        let [bytes, of] = [window.bytes, window.of].map(|bytes| bytes as f64 / 1e6);
        self.tell(&match (window.gives_back, window.groups) {
            (true, n) => format!("{bytes:.0} MB of {of:.0} MB of data are in memory at a time, read in {n} groups"),
            (false, n) => format!("{of:.0} MB of data are read in {n} groups, for {bytes:.0} MB of memory; by batches none is given back"),
        });
        let WindowReport { bytes, of, groups, gives_back } = window;
        self.try_log(json!({ "event": "window", "bytes": bytes, "of": of, "groups": groups, "gives_back": gives_back }));
    }

    fn epoch(&mut self, e: &EpochReport) -> ControlFlow<()> {
        self.see_memory();
        let seconds = e.seconds.max(1e-9);
        if !self.quiet {
            let valid = e.valid.as_ref().map(metrics_text).unwrap_or_default();
            let (examples, nonzeros) = (e.examples as f64 / seconds / 1e6, e.nonzeros as f64 / seconds / 1e6);
            let left = self.started.elapsed().mul_f64((1.0 / e.done.max(1e-9) - 1.0).max(0.0));
            let left = if left.as_secs() > 0 { format!("  {} left", HumanDuration(left)) } else { String::new() };
            let line = format!(
                "epoch {}/{}  loss {:.5}{}{valid}  {examples:.2} M examples/s  {nonzeros:.0} M nonzeros/s{left}",
                e.epoch,
                self.epochs,
                e.loss,
                if valid.is_empty() || e.valid.is_some_and(|valid| valid.cut.is_some()) { "" } else { "  held-out" }
            );
            self.tell(&line);
        }
        let line = json!({
            "event": "epoch", "epoch": e.epoch, "seconds": e.seconds, "evaluation_seconds": e.evaluation_seconds, "examples": e.examples,
            "nonzeros": e.nonzeros, "steps": e.steps, "loss": e.loss, "valid": e.valid.as_ref().map(metrics_json),
        });
        self.try_log(line);
        ControlFlow::Continue(())
    }
}

/// Opens the log.
pub fn open(log: &Path) -> anyhow::Result<Box<dyn Write>> {
    if is_standard_output(log) {
        return Ok(Box::new(Results));
    }
    let file = File::create(log).with_context(|| format!("{}: cannot write", log.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// What went wrong, and what becomes of it or what to try.
pub fn of_astray(astray: &Astray) -> String {
    let Astray { epoch, loss, constant, rate, chosen, next, .. } = *astray;
    let what = if loss.is_nan() {
        format!("epoch {epoch} left the finite numbers at learning rate {rate}")
    } else {
        format!("epoch {epoch} has a loss of {loss:.5}, worse than {constant:.5} of a constant prediction, at learning rate {rate}")
    };
    match next {
        Some(next) => format!("{what}: starting again at {next}"),
        None if chosen => format!("{what}, the last of several tried: look at the data, or give a lower --lr"),
        None => format!("{what}: try --lr auto, or --lr {}", rate / 10.0),
    }
}
