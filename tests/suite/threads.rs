//! What a call starts of threads, and what is left of them: nothing that a forked process, or another call, could miss.
#![cfg(target_os = "linux")]
use crate::support::{
    command::{signal, start_training, until},
    data::open_file,
};
use hogwild::{Batch, EpochReport, Settings, Threads, Watch, data::Data, synth::Synth, train_factorization, train_linear};
use std::{
    ops::ControlFlow,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Runs a test in a process where no other one runs.
fn in_own_process(test: &str, work: impl FnOnce()) {
    const MARK: &str = "HOGWILD_TEST_PROCESS";
    if std::env::var_os(MARK).is_some() {
        return work();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--test-threads=1"]).env(MARK, "1").output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Packs, checks, trains and scores what the project has of data; a few epochs, by so many threads.
fn all_work(folder: &Path, threads: usize, watch: &mut dyn Watch) {
    for text in ["reviews.train.svm", "ratings.train.tsv"] {
        let data = open_file(folder, &Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(text));
        for (lr, batch) in [(None, Batch::One), (Some(0.1), Batch::Size(64))] {
            let settings = |base: Settings| Settings { lr, batch, threads, epochs: 2, holdout: 0.2, ..base };
            let outcome = match &data {
                Data::Rows(rows) => train_linear(rows, None, &settings(Settings::default()), watch, &Default::default()),
                Data::Ratings(ratings) => {
                    train_factorization(ratings, None, &settings(Settings::for_ratings()), watch, &Default::default())
                }
            };
            assert!(outcome.unwrap().model.unwrap().score(&data).unwrap().scores.iter().all(|(z, _)| z.is_finite()));
        }
    }
    Synth { rows: 5000, ..Synth::default() }.write(&mut std::io::sink(), &()).unwrap();
}

fn running() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Whoever initialises rayon's global pool first may do so.
fn assert_no_global_pool() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
}

#[test]
fn one_thread_is_the_calling_one() {
    struct Counts(usize, usize);
    impl Watch for Counts {
        fn epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
            assert_eq!(running(), self.0);
            self.1 += 1;
            ControlFlow::Continue(())
        }
    }
    in_own_process("threads::one_thread_is_the_calling_one", || {
        let folder = tempfile::tempdir().unwrap();
        let mut counts = Counts(running(), 0);
        Threads::new(1).run(|| all_work(folder.path(), 1, &mut counts));
        assert_eq!((running(), counts.1), (counts.0, 8));
        assert_no_global_pool();
    });
}

#[test]
fn several_threads_end_with_the_call() {
    in_own_process("threads::several_threads_end_with_the_call", || {
        let folder = tempfile::tempdir().unwrap();
        let before = running();
        all_work(folder.path(), 3, &mut ());
        // One that was waited for is listed a moment longer.
        until("the end of the threads", || running() == before);
        assert_no_global_pool();
    });
}

/// As Python's multiprocessing does by default.
#[test]
fn a_forked_process_trains_too() {
    in_own_process("threads::a_forked_process_trains_too", || {
        let folder = tempfile::tempdir().unwrap();
        let kept = Threads::new(2);
        let work = || kept.run(|| all_work(folder.path(), 2, &mut ()));
        work();
        // SAFETY: the child uses what any process may that has no other threads, and ends by `_exit`, so that nothing of the parent's is
        // ended twice.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: it ends the process, and touches nothing.
            unsafe { libc::_exit(if done.is_ok() { 0 } else { 1 }) }
        }
        work();
        let (mut status, begun) = (0, Instant::now());
        // SAFETY: it writes to `status` alone, which is there.
        while unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == 0 {
            if begun.elapsed() > Duration::from_secs(120) {
                // SAFETY: the child was not waited for, so that its number is still its own.
                unsafe { libc::kill(child, libc::SIGKILL) };
                panic!("the child hangs");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status}");
    });
}

/// Where workers are as many as cores each has one; otherwise the system places them, so that two runs need not share a core.
#[test]
fn workers_are_pinned_to_all_cores_or_to_none() {
    let cores = |status: &str| status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("").trim().to_owned();
    let own = cores(&std::fs::read_to_string("/proc/self/status").unwrap());
    let count = std::thread::available_parallelism().unwrap().get();
    for (threads, pinned) in [(1, 0), (count, if count > 1 { count } else { 0 }), (count + 1, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let child = start_training(folder.path(), &format!("DATA/reviews.train.svm --threads {threads} --out m.safetensors"));
        let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let lists: Vec<String> = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok()).collect();
        let mut others: Vec<String> = lists.iter().map(|status| cores(status)).filter(|list| *list != own).collect();
        signal(&child, "INT");
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
        others.sort();
        others.dedup();
        assert_eq!(others.len(), pinned, "{threads} threads: {others:?}");
    }
}
