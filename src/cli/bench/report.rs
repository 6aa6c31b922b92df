//! All that was found of a data set, as text and as JSON.
use super::{
    array::Random,
    limit::{Limit, Work, has_factors, nodes_of},
    lost::Lost,
    machine::{Rates, random_table},
    table::{Table, mebibytes, millions},
    trainer::{HeldOut, Timing, Variant},
};
use hogwild::{AnyFamily, Outcome, Settings, data::Data};
use serde_json::{Value, json};

pub struct Report {
    pub name: String,
    pub family: &'static dyn AnyFamily,
    /// Examples, features and nonzeros; ratings, users and items; or edges and nodes.
    pub shape: Vec<(&'static str, u64)>,
    /// As every variant was trained, but for threads and hot rows.
    pub settings: Settings,
    /// Whether the rate was looked for.
    pub tried: bool,
    pub work: Work,
    /// The machine's, that the limits go by.
    pub rates: Vec<Rates>,
    /// In an array as large as the parameters.
    pub random: Vec<Random>,
    pub timings: Vec<Timing>,
    pub held_out: Vec<HeldOut>,
    pub lost: Vec<Lost>,
}

/// How large data are, of which a run's model knows how many nodes there are.
pub fn shape(data: &Data, run: &Outcome) -> Vec<(&'static str, u64)> {
    match (data, nodes_of(run)) {
        (Data::Ratings(d), Some(nodes)) => vec![("edges", d.len() as u64), ("nodes", nodes as u64)],
        (Data::Rows(d), _) => vec![("examples", d.rows() as u64), ("features", d.columns() as u64), ("nonzeros", d.nonzeros())],
        (Data::Ratings(d), None) => vec![("ratings", d.len() as u64), ("users", d.users() as u64), ("items", d.items() as u64)],
    }
}

impl Report {
    /// What a nonzero is called.
    pub fn unit(&self) -> &'static str {
        match self.is_of_rows() {
            true => "nonzero",
            false if self.family.cuts() => "edge",
            false => "rating",
        }
    }

    /// Only models of rows have hot rows.
    fn is_of_rows(&self) -> bool {
        self.shape[0].0 == "examples"
    }

    fn has_factors(&self) -> bool {
        !self.family.cuts() && (!self.is_of_rows() || has_factors(self.family))
    }

    /// A cut has a cost of its own.
    fn loss(&self) -> Option<String> {
        (!self.family.cuts()).then(|| self.settings.loss.to_string())
    }

    /// Whether the rate was looked for: that of a cut follows from the graph.
    fn is_searched(&self) -> bool {
        self.tried && !self.family.cuts()
    }

    fn limit(&self, threads: usize) -> Option<Limit> {
        self.rates.iter().find(|rates| rates.threads == threads).map(|rates| self.work.limit(rates))
    }

    /// Begins a row, or its heading: hot rows only where there are such.
    fn of_variant(&self, threads: impl ToString, hot_rows: impl ToString) -> Vec<String> {
        let mut row = vec![threads.to_string()];
        row.extend(self.is_of_rows().then(|| hot_rows.to_string()));
        row
    }

    fn table(&self, heading: &[&str]) -> Table {
        let variant = self.of_variant("threads", "hot rows");
        Table::new(&variant.iter().map(String::as_str).chain(heading.iter().copied()).collect::<Vec<_>>())
    }

    /// How many times one thread's speed.
    fn speedup(&self, timing: &Timing) -> f64 {
        self.timings[0].seconds / timing.seconds
    }

    fn ns(&self, seconds: f64) -> f64 {
        1e9 * seconds / self.work.nonzeros as f64
    }

    pub fn json(&self) -> Value {
        let (work, nonzeros) = (&self.work, self.work.nonzeros as f64);
        let of = |variant: Variant, hot_rows: usize| json!({ "threads": variant.threads, "hot_rows": hot_rows });
        let speed = |timing: &Timing| {
            let mut json = of(timing.variant, timing.hot_rows);
            json["seconds_per_epoch"] = timing.seconds.into();
            json["spread"] = timing.spread.into();
            json["examples_per_second"] = (work.examples as f64 / timing.seconds).into();
            json["nonzeros_per_second"] = (nonzeros / timing.seconds).into();
            json["bytes_per_second"] = (work.bytes as f64 / timing.seconds).into();
            json["ns_per_nonzero"] = self.ns(timing.seconds).into();
            json["speedup"] = self.speedup(timing).into();
            if let Some(rates) = self.rates.iter().find(|rates| rates.threads == timing.variant.threads) {
                let limits = work.limits(rates).map(|limit| (limit.name.to_string(), self.ns(limit.seconds).into()));
                json["limits_ns_per_nonzero"] = Value::Object(limits.into_iter().collect());
                let limit = work.limit(rates);
                json["limit"] = limit.name.into();
                json["share_of_limit"] = (limit.seconds / timing.seconds).into();
            }
            json
        };
        let held_out = |found: &HeldOut| {
            let mut json = of(found.variant, found.hot_rows);
            json["loss_first_epoch"] = found.first.into();
            json["loss_last_epoch"] = found.last.into();
            json["first_vs_one_thread"] = (found.first / self.held_out[0].first).into();
            json["last_vs_one_thread"] = (found.last / self.held_out[0].last).into();
            json
        };
        let lost = |lost: &Lost| {
            let mut json = of(lost.variant, lost.hot_rows);
            json["hottest"] = lost.hottest.into();
            json["hottest_16"] = lost.hottest_16.into();
            json["all"] = lost.all.into();
            json
        };
        json!({
            "name": self.name, "kind": if self.is_of_rows() { "sparse" } else if self.family.cuts() { "edges" } else { "ratings" },
            "shape": self.shape.iter().map(|&(name, n)| (name.to_string(), n.into())).collect::<serde_json::Map<_, _>>(),
            "rule": self.settings.rule.to_string(), "loss": self.loss(),
            "lr": self.settings.lr, "lr_searched": self.is_searched(), "epochs": self.settings.epochs,
            "model": self.family.name(), "rank": self.has_factors().then_some(self.settings.rank),
            "packed_bytes_per_epoch": work.bytes, "parameter_bytes": work.parameters,
            "fits_last_cache": work.fits_cache, "rates": self.rates.iter().map(Rates::json).collect::<Vec<_>>(),
            "lines_from_last_cache_per_nonzero": work.lines_cached as f64 / nonzeros,
            "lines_from_memory_per_nonzero": work.lines_far as f64 / nonzeros,
            "random": self.random.iter().map(Random::json).collect::<Vec<_>>(),
            "speeds": self.timings.iter().map(speed).collect::<Vec<_>>(),
            "lost_updates": self.lost.iter().map(lost).collect::<Vec<_>>(),
            "held_out": self.held_out.iter().map(held_out).collect::<Vec<_>>(),
        })
    }

    pub fn text(&self) -> String {
        let (work, settings) = (&self.work, &self.settings);
        let shape: Vec<_> = self.shape.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let rank = if self.has_factors() { format!(" at rank {}", settings.rank) } else { String::new() };
        let rate = settings.lr.unwrap_or(0.0);
        let tried = if self.is_searched() { " (tried)" } else { "" };
        let sizes = format!("parameters {}, read in an epoch {}", mebibytes(work.parameters), mebibytes(work.bytes as usize));
        let mut text = format!("\n{}: {}\n", self.name, shape.join(", "));
        let loss = self.loss().map_or(String::new(), |loss| format!("{loss} loss by "));
        text += &format!("{loss}{}{rank}, rate {rate}{tried}; {sizes}\n", settings.rule.name());
        text += &self.speed_table().text();
        text += &self.limits();
        text += "random lines in an array as large as the parameters, M/s (for comparison; the limit goes by the two arrays above)\n";
        text += &random_table(self.random.iter().copied()).text();
        let of = if self.is_of_rows() { "weights" } else { "users' and items' biases" };
        if self.family.cuts() {
            return text + "neither lost updates nor held-out loss: a cut sets rows, and holds nothing out\n";
        }
        text += &match self.lost[..] {
            [] => "updates lost to overlap: none are counted, for a model of several classes has no single weights\n".into(),
            _ => format!("updates of {of} lost to overlap, %\n{}", self.lost_table().text()),
        };
        if self.held_out.is_empty() {
            return text + "held-out loss: too few examples to hold some out\n";
        }
        text + &format!("held-out loss, beside one thread's\n{}", self.held_out_table().text())
    }

    fn speed_table(&self) -> Table {
        let (work, unit) = (&self.work, self.unit());
        let (per_second, ns) = (format!("M {unit}s/s"), format!("ns a {unit}"));
        let mut heading = vec!["M examples/s", &per_second, "GB/s", &ns, "spread", "speed-up", "limit, ns", "of the limit"];
        // Ratings are the examples.
        heading.drain(..usize::from(!self.is_of_rows()));
        let mut table = self.table(&heading);
        for timing in &self.timings {
            let per_second = |amount: u64| amount as f64 / timing.seconds;
            let limit = self.limit(timing.variant.threads).map_or(f64::NAN, |limit| limit.seconds);
            let mut row = self.of_variant(timing.variant.threads, timing.hot_rows);
            row.extend(self.is_of_rows().then(|| format!("{:.2}", per_second(work.examples) / 1e6)));
            row.extend([
                format!("{:.1}", per_second(work.nonzeros) / 1e6),
                format!("{:.2}", per_second(work.bytes) / 1e9),
                format!("{:.2}", self.ns(timing.seconds)),
                format!("{:.0}%", 100.0 * timing.spread),
                format!("{:.2}", self.speedup(timing)),
                format!("{:.2}", self.ns(limit)),
                format!("{:.1}%", 100.0 * limit / timing.seconds),
            ]);
            table.row(row);
        }
        table
    }

    /// How the limits come about.
    fn limits(&self) -> String {
        let (work, unit, nonzeros) = (&self.work, self.unit(), self.work.nonzeros as f64);
        let by_threads = |of: &dyn Fn(&Rates) -> String| self.rates.iter().map(of).collect::<Vec<_>>().join(" / ");
        let ns = |limit: usize| by_threads(&|rates| format!("{:.2}", self.ns(work.limits(rates)[limit].seconds)));
        let mut text = format!("limit on {} threads, the longer of\n", by_threads(&|rates| rates.threads.to_string()));
        let streamed = by_threads(&|rates| format!("{:.1}", rates.sequential / 1e9));
        text += &format!("  streaming: {:.1} bytes a {unit} at {streamed} GB/s, {} ns a {unit}\n", work.bytes as f64 / nonzeros, ns(0));
        if work.fits_cache {
            text += "  (the data fit the last-level cache: this limit is only indicative)\n";
        }
        if self.is_of_rows() {
            let [cached, far] = [work.lines_cached, work.lines_far].map(|lines| lines as f64 / nonzeros);
            let [from_cache, from_memory] =
                [|rates: &Rates| rates.cached, |rates: &Rates| rates.far].map(|of| by_threads(&|rates| millions(of(rates).independent)));
            text += &format!("  random lines, as caches hold the most frequent features: {cached:.3} a nonzero from the last-level cache ");
            text += &format!("at {from_cache} M/s\n    and {far:.3} from memory at {from_memory} M/s, {} ns a nonzero\n", ns(1));
        } else {
            let rows = if self.family.cuts() { "nodes" } else { "users and items" };
            text += &format!("  (random lines: none, as tiles keep {rows} near)\n");
        }
        text
    }

    fn lost_table(&self) -> Table {
        let mut table = self.table(&["hottest row", "hottest 16", "all"]);
        for lost in &self.lost {
            let mut row = self.of_variant(lost.variant.threads, lost.hot_rows);
            row.extend([lost.hottest, lost.hottest_16, lost.all].map(percent));
            table.row(row);
        }
        table
    }

    fn held_out_table(&self) -> Table {
        let epoch = format!("epoch {}", self.settings.epochs);
        let mut table = self.table(&["epoch 1", "ratio", &epoch, "ratio"]);
        let alone = &self.held_out[0];
        for found in &self.held_out {
            let mut row = self.of_variant(found.variant.threads, found.hot_rows);
            for (loss, alone) in [(found.first, alone.first), (found.last, alone.last)] {
                row.extend([format!("{loss:.5}"), format!("{:.4}", loss / alone)]);
            }
            table.row(row);
        }
        table
    }
}

/// To a digit after the point; little is told from nothing.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if 0.0 < percent && percent < 0.1 { "<0.1".into() } else { format!("{percent:.1}") }
}
