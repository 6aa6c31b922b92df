//! All that was found of a data set, as text and as JSON.
use super::{
    array::Random,
    limit::Work,
    lost::Lost,
    machine::{Machine, mebibytes, random_table},
    table::Table,
    trainer::{HeldOut, Speed, Way},
};
use hogwild::{Settings, data::Packed};
use serde_json::{Value, json};

pub struct Found {
    pub name: String,
    /// Rows, features and nonzeros, or ratings, users and items.
    pub shape: Vec<(&'static str, u64)>,
    /// As every way was trained, but for threads and hot rows.
    pub settings: Settings,
    /// Whether the rate was looked for.
    pub raced: bool,
    pub work: Work,
    /// In an array as large as the parameters.
    pub random: Vec<Random>,
    pub speeds: Vec<Speed>,
    pub held_out: Vec<HeldOut>,
    pub lost: Vec<Lost>,
}

pub fn shape(data: &Packed) -> Vec<(&'static str, u64)> {
    match data {
        Packed::Sparse(d) => vec![("rows", d.rows() as u64), ("features", d.columns() as u64), ("nonzeros", d.nonzeros())],
        Packed::Ratings(d) => vec![("ratings", d.len() as u64), ("users", d.users() as u64), ("items", d.items() as u64)],
    }
}

impl Found {
    /// What a nonzero is called.
    pub fn unit(&self) -> &'static str {
        if self.shape[0].0 == "ratings" { "rating" } else { "nonzero" }
    }

    /// How many times one thread's speed.
    fn speedup(&self, speed: &Speed) -> f64 {
        self.speeds[0].seconds / speed.seconds
    }

    fn ns(&self, seconds: f64) -> f64 {
        1e9 * seconds / self.work.nonzeros as f64
    }

    pub fn json(&self, machine: &Machine) -> Value {
        let (work, nonzeros) = (&self.work, self.work.nonzeros as f64);
        let way = |way: Way, hot_rows: usize| json!({ "threads": way.threads, "private_rows": hot_rows });
        let speed = |speed: &Speed| {
            let mut json = way(speed.way, speed.hot_rows);
            json["seconds_per_epoch"] = speed.seconds.into();
            json["spread"] = speed.spread.into();
            json["examples_per_second"] = (work.examples as f64 / speed.seconds).into();
            json["nonzeros_per_second"] = (nonzeros / speed.seconds).into();
            json["bytes_per_second"] = (work.bytes as f64 / speed.seconds).into();
            json["ns_per_nonzero"] = self.ns(speed.seconds).into();
            json["speedup"] = self.speedup(speed).into();
            if let Some(machine) = machine.speed(speed.way.threads) {
                let limits = work.limits(machine).map(|limit| (limit.name.replace(' ', "_"), self.ns(limit.seconds).into()));
                json["limits_ns_per_nonzero"] = Value::Object(limits.into_iter().collect());
                let limit = work.limit(machine);
                json["limit"] = limit.name.into();
                json["share_of_limit"] = (limit.seconds / speed.seconds).into();
            }
            json
        };
        let held_out = |found: &HeldOut| {
            let mut json = way(found.way, found.hot_rows);
            json["loss_first_epoch"] = found.first.into();
            json["loss_last_epoch"] = found.last.into();
            json["first_beside_one_thread"] = (found.first / self.held_out[0].first).into();
            json["last_beside_one_thread"] = (found.last / self.held_out[0].last).into();
            json
        };
        let lost = |lost: &Lost| {
            let mut json = way(lost.way, lost.hot_rows);
            json["hottest"] = lost.hottest.into();
            json["hottest_16"] = lost.hottest_16.into();
            json["all"] = lost.all.into();
            json
        };
        json!({
            "name": self.name, "kind": if self.unit() == "rating" { "ratings" } else { "rows" },
            "shape": self.shape.iter().map(|&(name, n)| (name.to_string(), n.into())).collect::<serde_json::Map<_, _>>(),
            "rule": self.settings.rule.to_string(), "loss": self.settings.loss.name(), "lr": self.settings.lr, "lr_raced": self.raced,
            "epochs": self.settings.epochs, "rank": (self.unit() == "rating").then_some(self.settings.rank),
            "packed_bytes_per_epoch": work.bytes, "parameter_bytes": work.parameters,
            "lines_from_last_cache_per_nonzero": work.lines_cached as f64 / nonzeros,
            "lines_from_memory_per_nonzero": work.lines_far as f64 / nonzeros,
            "random": self.random.iter().map(Random::json).collect::<Vec<_>>(),
            "speeds": self.speeds.iter().map(speed).collect::<Vec<_>>(),
            "lost_updates": self.lost.iter().map(lost).collect::<Vec<_>>(),
            "held_out": self.held_out.iter().map(held_out).collect::<Vec<_>>(),
        })
    }

    pub fn text(&self, machine: &Machine) -> String {
        let (work, settings, unit) = (&self.work, &self.settings, self.unit());
        let shape: Vec<_> = self.shape.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let rank = if unit == "rating" { format!(" at rank {}", settings.rank) } else { String::new() };
        let rate = settings.lr.unwrap_or(0.0);
        let raced = if self.raced { " (raced)" } else { "" };
        let sizes = format!("parameters {}, read in an epoch {}", mebibytes(work.parameters), mebibytes(work.bytes as usize));
        let mut text = format!("\n{}: {}\n", self.name, shape.join(", "));
        text += &format!("{} loss by {}{rank}, rate {rate}{raced}; {sizes}\n", settings.loss.name(), settings.rule.name());
        text += &self.speed_table(machine).text();
        text += &self.limits(machine);
        text += "random lines in an array as large as the parameters, M/s\n";
        text += &random_table(self.random.iter().copied()).text();
        let of = if unit == "rating" { "users' and items' biases" } else { "weights" };
        text += &format!("updates of {of} lost to overlap, %\n{}", self.lost_table().text());
        if self.held_out.is_empty() {
            return text + "held-out loss: too few examples to hold some out\n";
        }
        text + &format!("held-out loss, beside one thread's\n{}", self.held_out_table().text())
    }

    fn speed_table(&self, machine: &Machine) -> Table {
        let (work, unit) = (&self.work, self.unit());
        let (per_second, ns) = (format!("M {unit}s/s"), format!("ns a {unit}"));
        let mut heading =
            vec!["threads", "private rows", "M examples/s", &per_second, "GB/s", &ns, "spread", "speed-up", "limit, ns", "of the limit"];
        // Ratings are the examples.
        let examples = unit == "nonzero";
        heading.retain(|name| examples || *name != "M examples/s");
        let mut table = Table::new(&heading);
        for speed in &self.speeds {
            let per_second = |amount: u64| amount as f64 / speed.seconds;
            let limit = machine.speed(speed.way.threads).map_or(f64::NAN, |machine| work.limit(machine).seconds);
            let mut row = vec![speed.way.threads.to_string(), speed.hot_rows.to_string()];
            row.extend(examples.then(|| format!("{:.2}", per_second(work.examples) / 1e6)));
            row.extend([
                format!("{:.1}", per_second(work.nonzeros) / 1e6),
                format!("{:.2}", per_second(work.bytes) / 1e9),
                format!("{:.2}", self.ns(speed.seconds)),
                format!("{:.0}%", 100.0 * speed.spread),
                format!("{:.2}", self.speedup(speed)),
                format!("{:.2}", self.ns(limit)),
                format!("{:.1}%", 100.0 * limit / speed.seconds),
            ]);
            table.row(row);
        }
        table
    }

    /// How the limits come about.
    fn limits(&self, machine: &Machine) -> String {
        let (work, unit, nonzeros) = (&self.work, self.unit(), self.work.nonzeros as f64);
        let by_threads = |limit: usize| {
            let ns = machine.speeds.iter().map(|speed| format!("{:.2}", self.ns(work.limits(speed)[limit].seconds)));
            format!("{} ns a {unit}", ns.collect::<Vec<_>>().join(" / "))
        };
        let threads: Vec<_> = machine.speeds.iter().map(|speed| speed.threads.to_string()).collect();
        let mut text = format!("limit on {} threads, the longer of\n", threads.join(" / "));
        text += &format!("  streaming: {:.1} bytes a {unit} in order from memory, {}\n", work.bytes as f64 / nonzeros, by_threads(0));
        if unit == "nonzero" {
            let [cached, far] = [work.lines_cached, work.lines_far].map(|lines| lines as f64 / nonzeros);
            text += &format!("  random lines: {cached:.3} a nonzero from the last-level cache and {far:.3} from memory, ");
            text += &format!("as caches hold the most frequent rows, {}\n", by_threads(1));
        } else {
            text += "  (random lines: none, as tiles keep the rows near)\n";
        }
        text
    }

    fn lost_table(&self) -> Table {
        let mut table = Table::new(&["threads", "private rows", "hottest row", "hottest 16", "all"]);
        for lost in &self.lost {
            let share = |share: f64| format!("{:.4}", 100.0 * share);
            let shares = [lost.hottest, lost.hottest_16, lost.all].map(share);
            table.row([&[lost.way.threads.to_string(), lost.hot_rows.to_string()][..], &shares].concat());
        }
        table
    }

    fn held_out_table(&self) -> Table {
        let epoch = format!("epoch {}", self.settings.epochs);
        let mut table = Table::new(&["threads", "private rows", "epoch 1", "ratio", &epoch, "ratio"]);
        let alone = &self.held_out[0];
        for found in &self.held_out {
            let ratio = |loss: f64, alone: f64| format!("{:.4}", loss / alone);
            table.row([
                found.way.threads.to_string(),
                found.hot_rows.to_string(),
                format!("{:.5}", found.first),
                ratio(found.first, alone.first),
                format!("{:.5}", found.last),
                ratio(found.last, alone.last),
            ]);
        }
        table
    }
}
