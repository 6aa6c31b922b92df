//! An epoch by rule, instruction set, threads and hot rows, and packing, on synthetic data. Compare ratios within one run: machines are
//! noisy.
//!
//! Expected: two threads with hot rows at little more than half the time of one; without hot rows they gain less on Zipf data.
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hogwild::{
    InstructionSet, Rule, Settings,
    data::{Data, PackSettings, pack},
    synth::Synth,
    train_linear,
};
use std::{hint::black_box, time::Duration};

fn epochs(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, packed) = (folder.path().join("zipf.svm"), folder.path().join("zipf.safetensors"));
    let mut text = Vec::new();
    let synth = Synth { rows: 20_000, features: 50_000, nonzeros: 100, exponent: 1.1, ..Synth::default() };
    let written = synth.write(&mut text, &()).expect("text");
    std::fs::write(&source, &text).expect("a file");

    let mut group = c.benchmark_group("pack");
    group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("svmlight", |b| b.iter(|| pack(std::slice::from_ref(&source), &packed, &PackSettings::default())));
    group.finish();

    let Ok(Data::Rows(data)) = Data::open(&packed) else { panic!("sparse rows") };
    let mut group = c.benchmark_group("epoch");
    group.sample_size(10).throughput(Throughput::Elements(written.nonzeros));
    let base = Settings { epochs: 1, threads: 1, lr: Some(0.1), pin: true, ..Settings::default() };
    let mut cases: Vec<(String, Settings)> = Vec::new();
    for rule in Rule::ALL {
        cases.push((format!("rule/{}", rule.name()), Settings { rule, ..base.clone() }));
    }
    for isa in InstructionSet::available() {
        cases.push((format!("instructions/{}", isa.name()), Settings { isa: Some(isa), ..base.clone() }));
    }
    for (threads, hot) in [(1, Some(0)), (2, Some(0)), (2, None)] {
        let name = format!("threads/{threads}/hot/{}", hot.map_or("chosen".into(), |rows| rows.to_string()));
        cases.push((name, Settings { threads, hot_rows: hot, ..base.clone() }));
    }
    for (name, settings) in cases {
        // The epoch's own time: evaluation, set-up and the dictionary are left out.
        let epoch = || train_linear(&data, None, &settings, &mut (), &Default::default()).map_or(0.0, |o| o.epochs[0].seconds);
        group.bench_function(name, |b| b.iter_custom(|n| Duration::from_secs_f64((0..n).map(|_| black_box(epoch())).sum())));
    }
    group.finish();
}

criterion_group!(benches, epochs);
criterion_main!(benches);
