//! The two kernels, dot product and step, by rule and instruction set, on one thread.
//!
//! `dot`: a hinge loss on data that one feature decides: after the first examples every margin is beyond 1 and nothing is stepped.
//! `dot+step`: the logistic loss on the same data, which steps every example. Expected: AVX2 within a tenth of AVX-512 (the gather
//! is bound by loads, not by width), portable four to seven times as long; rules with more state a little above Adagrad.
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hogwild::{
    InstructionSet, Loss, Rule, Settings,
    data::{Data, PackSettings, Rows, pack},
    train_linear,
};
use std::{fmt::Write, hint::black_box, time::Duration};

const ROWS: u64 = 4_000;
const FEATURES: u64 = 160;

/// Rows of 160 features of 20,000, the hundredth decided by the label alone.
fn data() -> Rows {
    let mut text = String::new();
    for row in 0..ROWS {
        let label = if row % 2 == 0 { 1 } else { -1 };
        write!(text, "{label} 1:{}", 10 * label).expect("room");
        for i in 0..FEATURES {
            let within = (row * 2_654_435_761 + i * 40_503) >> 7;
            write!(text, " {}:0.01", 2 + i * 125 + within % 125).expect("room");
        }
        text.push('\n');
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (source, packed) = (folder.path().join("rows.svm"), folder.path().join("rows.safetensors"));
    std::fs::write(&source, &text).expect("a file");
    pack(&[source], &packed, &PackSettings::default(), &|_, _| ()).expect("packed rows");
    let Ok(Data::Rows(data)) = Data::open(&packed) else { panic!("sparse rows") };
    data
}

fn kernels(c: &mut Criterion) {
    let data = data();
    let mut group = c.benchmark_group("kernel");
    group.sample_size(10).throughput(Throughput::Elements(ROWS * (FEATURES + 1)));
    let base = Settings { threads: 1, epochs: 3, lr: Some(0.1), ..Settings::default() };
    for isa in InstructionSet::available() {
        let settings = Settings { isa: Some(isa), ..base.clone() };
        let mut cases = vec![(format!("dot/{}", isa.name()), Settings { loss: Loss::Hinge, rule: Rule::ALL[0], ..settings.clone() })];
        cases.extend(Rule::ALL.map(|rule| (format!("dot+step/{}/{}", rule.name(), isa.name()), Settings { rule, ..settings.clone() })));
        for (name, settings) in cases {
            // The last epoch's own time.
            let epoch = || train_linear(&data, None, &settings, &mut (), &Default::default()).map_or(0.0, |o| o.epochs[2].seconds);
            group.bench_function(name, |b| b.iter_custom(|n| Duration::from_secs_f64((0..n).map(|_| black_box(epoch())).sum())));
        }
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
