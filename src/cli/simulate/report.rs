//! What was found, as tables and as lines of the log.
use super::{SimulateArgs, found::Found, machine::Machine};
use crate::cli::bench::{report::shape, table::Table};
use hogwild::{Exchanged, Outcome, Parallel, Shared, data::Data};
use serde_json::{Value, json};

/// The first line of the log.
pub fn start(name: &str, alone: &Outcome, args: &SimulateArgs, machine: &Machine) -> Value {
    json!({
        "event": "start", "version": env!("CARGO_PKG_VERSION"), "data": name, "parallel": parallel(args),
        "spread": args.spread, "delay": args.delay, "machine": machine.json(), "settings": alone.settings.describe(),
    })
}

fn parallel(args: &SimulateArgs) -> &str {
    let typed = args.settings.get("parallel").filter(|&way| way != Parallel::Auto.name());
    typed.unwrap_or(Parallel::Hogwild.name())
}

/// The losses of so many workers.
pub fn epochs(found: &Found) -> Value {
    let mut examples = 0;
    let epoch = |epoch: &hogwild::EpochReport| {
        examples += epoch.examples;
        json!({ "epoch": epoch.epoch, "examples": examples, "loss": epoch.loss, "held_out": epoch.valid.map(|valid| valid.loss) })
    };
    let epochs: Vec<Value> = found.outcome.epochs.iter().map(epoch).collect();
    json!({ "event": "epochs", "workers": found.workers, "diverged": found.diverged, "epochs": epochs })
}

/// What so many workers do to each other.
pub fn workers(found: &Found) -> Value {
    let shared = |shared: &Shared| {
        json!({
            "hot_rows": shared.hot_rows, "mean_age": shared.mean_age, "age_99": shared.age_99, "lost": shared.lost,
            "lost_of_hottest": shared.lost_of_hottest, "lines_per_nonzero": shared.lines,
            "exchange_lines_per_nonzero": shared.exchange_lines, "hottest_line_per_nonzero": shared.hottest_line,
        })
    };
    let exchanges = |exchanges: &Exchanged| json!({ "an_epoch": exchanges.an_epoch, "rows": exchanges.rows, "bytes": exchanges.bytes, "seconds": exchanges.seconds });
    json!({
        "event": "workers", "workers": found.workers, "seconds": found.seconds, "ns_per_nonzero": (found.workers == 1).then(|| found.nanoseconds()),
        "slowest": found.slowest, "shared": found.shared.as_ref().map(shared), "plain": found.plain.as_ref().map(shared),
        "exchanges": found.exchanges.as_ref().map(exchanges), "roofline": found.roofline.as_ref().map(|roofline| roofline.json()),
    })
}

/// All tables.
pub fn text(name: &str, args: &SimulateArgs, found: &[Found], machine: &Machine, data: &Data) -> String {
    let settings = &found[0].outcome.settings;
    let shape: Vec<_> = shape(data, &found[0].outcome).iter().map(|(name, n)| format!("{n} {name}")).collect();
    let mut text = format!("{name}: {}\n", shape.join(", "));
    let speeds = if args.spread == 0.0 { "of one speed".to_string() } else { format!("of spread {}", args.spread) };
    let loss = if found[0].is_of_graph() { String::new() } else { format!("{} loss by ", settings.asked.loss) };
    text += &format!("{loss}{}, rate {}, {}, workers {speeds}", settings.rule, settings.lr, parallel(args));
    text += &if args.delay > 0 { format!(", messages {} examples late\n", args.delay) } else { "\n".into() };
    let judged = if found[0].is_of_graph() { "objective" } else { "held-out loss" };
    text += &format!("\n{judged} by workers, and as a ratio to one worker's after as many examples\n");
    text += &losses(found).text();
    if found.iter().any(|found| found.shared.is_some()) {
        text += "\nwhat workers do to each other, as the first examples show; hot rows 0: if they had no private rows\n";
        text += &shared(found).text();
    }
    if found.iter().any(|found| found.exchanges.is_some()) {
        text += "\nwhat replicas exchange\n";
        text += &exchanges(found).text();
    }
    text += &format!("\nspeed-up to expect, by a model: {}; one worker takes {:.2} ns a nonzero\n", machine.text(), found[0].nanoseconds());
    text + &speedups(found).text()
}

/// A row an epoch, two columns for each number of workers.
fn losses(found: &[Found]) -> Table {
    let names: Vec<String> = found.iter().map(|found| found.workers.to_string()).collect();
    let mut heading = vec!["examples", &names[0]];
    names[1..].iter().for_each(|name| heading.extend([name.as_str(), "ratio"]));
    let mut table = Table::new(&heading);
    let losses: Vec<Vec<f64>> = found.iter().map(Found::losses).collect();
    let (alone, mut examples) = (&losses[0], 0);
    for (i, epoch) in found[0].outcome.epochs.iter().enumerate() {
        examples += epoch.examples;
        let mut row = vec![examples.to_string()];
        for (of, losses) in losses.iter().enumerate() {
            row.push(losses.get(i).map_or("diverged".into(), |loss| format!("{loss:.5}")));
            let beside = |loss: &f64| format!("{:.4}", loss / alone.get(i).copied().unwrap_or(f64::NAN));
            let ratio = || losses.get(i).map_or("-".into(), beside);
            row.extend((of > 0).then(ratio));
        }
        table.row(row);
    }
    let mut best = vec!["best".to_string(), format!("{:.5}", found[0].best())];
    for found_of in &found[1..] {
        best.extend([format!("{:.5}", found_of.best()), format!("{:.4}", found_of.best() / found[0].best())]);
    }
    table.row(best);
    table
}

fn shared(found: &[Found]) -> Table {
    let heading =
        ["workers", "hot rows", "age, mean", "99%", "lost %", "of the hottest", "lines a nonzero", "by exchanges", "the hottest line"];
    let mut table = Table::new(&heading);
    for of in found {
        let private = of.shared.filter(|shared| shared.hot_rows > 0);
        for shared in private.iter().chain(&of.plain) {
            table.row([
                of.workers.to_string(),
                shared.hot_rows.to_string(),
                format!("{:.2}", shared.mean_age),
                format!("{:.0}", shared.age_99),
                percent(shared.lost),
                percent(shared.lost_of_hottest),
                format!("{:.4}", shared.lines + shared.exchange_lines),
                format!("{:.4}", shared.exchange_lines),
                format!("{:.5}", shared.hottest_line),
            ]);
        }
    }
    table
}

fn exchanges(found: &[Found]) -> Table {
    let mut table = Table::new(&["replicas", "an epoch", "rows an exchange", "kB an exchange", "bytes a nonzero", "ms an exchange"]);
    for of in found {
        let nonzeros = of.outcome.epochs.first().map_or(1, |epoch| epoch.nonzeros.max(1)) as f64;
        if let Some(exchanges) = &of.exchanges {
            table.row([
                of.workers.to_string(),
                format!("{:.0}", exchanges.an_epoch),
                format!("{:.0}", exchanges.rows),
                format!("{:.1}", exchanges.bytes / 1e3),
                format!("{:.2}", exchanges.an_epoch * exchanges.bytes / nonzeros),
                format!("{:.3}", 1e3 * exchanges.seconds),
            ]);
        }
    }
    table
}

fn speedups(found: &[Found]) -> Table {
    let mut table = Table::new(&["workers", "speed-up", "bound by", "ns: own work", "waiting", "in turn", "reading"]);
    for of in found {
        let Some(roofline) = &of.roofline else { continue };
        table.row([
            of.workers.to_string(),
            format!("{:.2}", roofline.speedup()),
            roofline.binds().to_string(),
            format!("{:.3}", roofline.compute),
            format!("{:.3}", roofline.waiting),
            format!("{:.3}", roofline.in_turn),
            format!("{:.3}", roofline.reading),
        ]);
    }
    table
}

/// To a digit behind the point; little is told from nothing.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if 0.0 < percent && percent < 0.1 { "<0.1".into() } else { format!("{percent:.1}") }
}
