//! Clients and servers by their messages: what is damaged, foreign or late.
use super::{
    Carrier, Client, Clients, Periods, Server, ServerRule, Shard, Ticket,
    requests::{self, Request},
};
use crate::{
    params::{Beside, Finish, Owned, Parameters, Shape, TableShape},
    rules::{Adagrad, Erased, Layout, Summing, UpdateRule},
    simd::InstructionSet,
};
use hogwild_base::{Error, Result};
use proptest::prelude::*;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const SLOTS: usize = 200;
const RULE: Adagrad = Adagrad::DEFAULT;
const OWNED: Owned = Owned { server: 0, of: 1 };

/// Keeps what it is given; answers as it was told.
struct Tap {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    answer: fn() -> Result<Vec<u8>>,
    /// How long it was to wait for each answer.
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Carrier for Tap {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn all_to_all(&mut self, parts: Vec<Vec<u8>>, _within: Duration) -> Result<Vec<Vec<u8>>> {
        Ok(parts)
    }

    fn ask(&mut self, _shard: usize, request: Vec<u8>) -> Result<Ticket> {
        self.kept.lock().unwrap().push(request);
        Ok(Ticket(0))
    }

    fn answer(&mut self, _ticket: &Ticket, within: Duration) -> Result<Vec<u8>> {
        self.waits.lock().unwrap().push(within);
        (self.answer)()
    }
}

fn done() -> Result<Vec<u8>> {
    let mut message = Vec::new();
    requests::done(&mut message);
    Ok(message)
}

fn centre() -> Parameters {
    Parameters::new(&Shape::of(TableShape::single(SLOTS)), &Layout::of(&RULE)).unwrap()
}

fn replica(in_slots: bool) -> Parameters {
    let single = Shape::of(TableShape::single(SLOTS));
    match in_slots {
        true => Parameters::new(&single, &Layout::of(&Summing(RULE))).unwrap(),
        false => Parameters::new(&Shape { beside: Beside::Gradients, ..single }, &Layout::of(&RULE)).unwrap(),
    }
}

/// The message by which a replica pushes gradients of some slots, each taken once.
fn push(gradients: &[(usize, f32)], in_slots: bool) -> Vec<u8> {
    let own = replica(in_slots);
    // Numbers of the slots as they are by now: weights do not matter to a push.
    let mut numbers = own.table(0).numbers();
    for &(slot, g) in gradients.iter().filter(|_| in_slots) {
        (numbers[4 * slot + 2], numbers[4 * slot + 1]) = (g, numbers[4 * slot + 1] + g * g);
    }
    assert!(own.table(0).set_numbers(&numbers));
    for &(slot, g) in gradients.iter().filter(|_| !in_slots) {
        own.table(0).accrue(slot, [g, g * g]);
    }
    let kept = Arc::new(Mutex::new(Vec::new()));
    let tap = Tap { kept: Arc::clone(&kept), answer: done, waits: Arc::default() };
    let mut client = Client::new(InstructionSet::best(), Box::new(tap), 1, &own, Periods { push: 1, fetch: 9 });
    client.advance(1, 0.1).unwrap();
    let pushed = client.take_pushed();
    let message = kept.lock().unwrap().pop().unwrap();
    let slots = gradients.iter().filter(|(_, g)| *g != 0.0).count() as u64;
    assert_eq!(pushed, [1, slots, 2 * slots, message.len() as u64]);
    // All was taken: the next push has no slots, and is a step all the same.
    client.advance(1, 0.1).unwrap();
    let empty = kept.lock().unwrap().pop().unwrap();
    assert_eq!(client.take_pushed(), [1, 0, 0, empty.len() as u64]);
    message
}

fn server(parameters: &Parameters, work: impl FnOnce(&mut Server<'_>)) {
    let rule = ServerRule(Erased::new(&RULE));
    work(&mut Server::new(InstructionSet::best(), &rule, parameters, OWNED, Clients { replicas: 1, pushes: 1 }));
}

fn weights(parameters: &Parameters) -> Vec<f32> {
    let step = RULE.prepare(&Default::default(), &());
    parameters.table(0).weights(0..SLOTS, &Finish::new(&RULE, step, None)).collect()
}

proptest! {
    /// Whatever slots are pushed, few or many of a sixteen: each reaches the server once, and comes back by a fetch.
    #[test]
    fn put_and_take_lose_nothing(gradients in prop::collection::btree_map(0usize..SLOTS, -4.0f32..4.0, 1..SLOTS), in_slots: bool) {
        let gradients: Vec<(usize, f32)> = gradients.into_iter().map(|(slot, g)| (slot, if g.abs() < 0.1 { 1.0 } else { g })).collect();
        let (message, parameters, own) = (push(&gradients, in_slots), centre(), replica(in_slots));
        server(&parameters, |server| {
            let mut answer = Vec::new();
            server.handle(&message, &mut answer).unwrap();
            requests::answer(&answer, &parameters, OWNED).unwrap();
            for from in [0, 1] {
                let mut fetch = Vec::new();
                requests::fetch(&mut fetch, from);
                server.handle(&fetch, &mut answer).unwrap();
                let requests::Answer::Changed { now, sections } = requests::answer(&answer, &own, OWNED).unwrap() else { panic!() };
                assert_eq!(now, 1);
                let slots: u32 = sections[0].records().map(|record| record.lanes.count_ones()).sum();
                assert_eq!(slots as usize, if from == 0 { SLOTS } else { gradients.len() });
                crate::params::Move::Put(&sections[0]).run(InstructionSet::best(), own.table(0));
            }
        });
        let mut expected = vec![0.0f32; SLOTS];
        for &(slot, g) in &gradients {
            expected[slot] = -0.1 * g / (1.0 + g * g).sqrt();
        }
        for found in [weights(&parameters), weights(&own)] {
            prop_assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{:?} {:?}", found, expected);
        }
    }

    /// A request that was cut or changed is refused, and then nothing has been done; or it says something else that may be said.
    #[test]
    fn a_damaged_request_does_nothing(at in 0usize..4000, byte: u8, cut in 0usize..4000) {
        let whole = push(&(0..90).map(|slot| (slot, 1.0)).collect::<Vec<_>>(), true);
        let (mut message, parameters) = (whole.clone(), centre());
        let at = at % message.len();
        message[at] = byte;
        message.truncate(if cut < whole.len() { cut } else { whole.len() });
        server(&parameters, |server| {
            if server.handle(&message, &mut Vec::new()).is_err() {
                assert!(weights(&parameters).iter().all(|&w| w == 0.0));
            }
        });
    }
}

#[test]
fn what_is_foreign_is_refused_with_its_reason() {
    let (parameters, mut answer) = (centre(), Vec::new());
    let other = Parameters::new(&Shape::of(TableShape::single(20)), &Layout::of(&RULE)).unwrap();
    let message = push(&[(150, 1.0)], true);
    server(&other, |server| {
        let error = server.handle(&message, &mut answer).unwrap_err().to_string();
        assert!(error.contains("has slot 150, and server 0 of 1 has none of that number among 20"), "{error}");
    });
    server(&parameters, |server| {
        for (message, says) in
            [(b"GET / HTTP/1.1\r\n\r\n".to_vec(), "is not of hogwild"), (done().unwrap(), "is of kind 3, which is no request")]
        {
            let error = server.handle(&message, &mut answer).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let mut no_rate = message.clone();
        no_rate[20..24].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(server.handle(&no_rate, &mut answer).unwrap_err().to_string().contains("has NaN for a learning rate"));
    });
    assert!(matches!(requests::request(&message, &parameters, OWNED), Ok(Request::Push { examples: 1, .. })));
    assert!(requests::answer(&message, &parameters, OWNED).is_err());
}

#[test]
fn a_server_that_does_not_answer_is_an_error_of_the_replica() {
    let own = replica(true);
    let gone: fn() -> Result<Vec<u8>> = || Err(Error::Missing { who: "server 0 of 1".into(), what: "has ended".into() });
    let garbled: fn() -> Result<Vec<u8>> = || Ok(b"hogw".to_vec());
    for (answer, says) in [(gone, "server 0 of 1 has ended"), (garbled, "is cut short")] {
        let tap = Tap { kept: Arc::default(), answer, waits: Arc::default() };
        let mut client = Client::new(InstructionSet::best(), Box::new(tap), 1, &own, Periods { push: 1, fetch: 1 });
        for error in [client.fetch().unwrap_err(), client.advance(1, 0.1).unwrap_err()] {
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}

#[test]
fn after_an_error_nothing_more_is_asked_or_waited_for() {
    let (own, asked) = (replica(true), Arc::new(Mutex::new(Vec::new())));
    let gone: fn() -> Result<Vec<u8>> = || Err(Error::Missing { who: "server 0 of 100".into(), what: "has ended".into() });
    let tap = Tap { kept: Arc::clone(&asked), answer: gone, waits: Arc::default() };
    let waits = Arc::clone(&tap.waits);
    let mut client = Client::new(InstructionSet::best(), Box::new(tap), 100, &own, Periods { push: 1, fetch: 1 });
    client.advance(1, 0.1).unwrap_err();
    // Some are under way when the first answer fails. That one was waited for, and no other.
    let (asked, waits) = (asked.lock().unwrap().len(), waits.lock().unwrap());
    assert!((1..20).contains(&asked) && waits.len() == asked, "{asked} {waits:?}");
    assert!(!waits[0].is_zero() && waits[1..].iter().all(Duration::is_zero), "{waits:?}");
}
