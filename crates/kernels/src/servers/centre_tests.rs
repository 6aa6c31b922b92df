//! A centre that messages reach: nothing is lost, whoever exchanges when, and what is damaged or missing is told.
use super::{
    Carrier, Centre, Member, Shard, Threads, Ticket,
    centre::{exchange, join, passed},
};
use crate::{
    exchange::Parallel,
    params::{Between, Parameters, ReplicaEnd, SECTIONS, Shape, Side, TableShape, VectorRange},
    rules::{Adagrad, AdagradRowwise, Layout},
    simd::InstructionSet,
    wire,
};
use hogwild_base::{Error, Result};
use proptest::prelude::*;
use std::{thread, time::Duration};

const REPLICAS: usize = 4;

fn between(parallel: Parallel, averages: bool) -> Between {
    Between { parallel, replicas: REPLICAS, averages, elasticity: 0.25 }
}

/// Single weights, of which the last sixteen is not whole, and rows.
fn parameters() -> Parameters {
    let tables = vec![TableShape::single(203), TableShape::rows(9, 20)];
    Parameters::new(&Shape { tables, workers: 1, ..Shape::default() }, &Layout::of(&AdagradRowwise::DEFAULT)).unwrap()
}

fn numbers(parameters: &Parameters) -> Vec<f32> {
    parameters.tables().flat_map(|table| table.numbers()).collect()
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    numbers(parameters).into_iter().map(f32::to_bits).collect()
}

/// Adds whole numbers to some cells.
fn change(parameters: &Parameters, changes: &[(usize, i8)]) {
    let mut first = 0;
    for table in parameters.tables() {
        let mut numbers = table.numbers();
        let of = |&&(at, _): &&(usize, i8)| (first..first + numbers.len()).contains(&at);
        for &(at, by) in changes.iter().filter(of).collect::<Vec<_>>() {
            numbers[at - first] += by as f32;
        }
        first += numbers.len();
        assert!(table.set_numbers(&numbers));
    }
}

fn cells() -> usize {
    numbers(&parameters()).len()
}

fn group<'r>(set: InstructionSet, centre: &'r Parameters, between: Between, shards: usize) -> Vec<Threads<Centre<'r>>> {
    Threads::group(REPLICAS, (0..shards).map(|number| Centre::new(set, centre, between, number, shards).unwrap()).collect())
}

/// One change of a replica, or more, and whether it exchanges afterwards.
type Turn = (usize, Vec<(usize, i8)>, bool);

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let change = (0..cells(), -8i8..8);
    prop::collection::vec((0..REPLICAS, prop::collection::vec(change, 0..40), any::<bool>()), 1..30)
}

proptest! {
    /// The same turns by lent cells and by messages, to one shard or several: the same bits, in the centre and in each replica.
    #[test]
    fn messages_and_lent_cells_give_the_same_bits(turns in turns(), way in 0usize..3, averages: bool, shards in 1..=SECTIONS) {
        let parallel = [Parallel::Mean, Parallel::Overlap, Parallel::Elastic][way];
        let (between, set) = (between(parallel, averages), InstructionSet::best());
        let shards = shards.min(between.shards());
        let [(lent, of_lent), (told, of_told)] = [(); 2].map(|()| (parameters(), [(); REPLICAS].map(|()| parameters())));
        let mut sides: Vec<_> = of_lent.iter().map(|own| Side::new(set, &lent, own, between).unwrap()).collect();
        let carriers = group(set, &told, between, shards);
        let member = |(own, carrier)| Member::new(Box::new(carrier), shards, own, between, false).unwrap();
        let mut members: Vec<_> = of_told.iter().zip(carriers).map(member).collect();
        for (replica, changes, exchanges) in turns {
            change(&of_lent[replica], &changes);
            change(&of_told[replica], &changes);
            if exchanges {
                sides[replica].exchange();
                members[replica].exchange().unwrap();
                prop_assert_eq!(bits(&of_lent[replica]), bits(&of_told[replica]));
            }
        }
        sides.iter_mut().for_each(|side| side.exchange());
        members.iter_mut().for_each(|member| _ = member.exchange().unwrap());
        prop_assert_eq!(bits(&lent), bits(&told));
        for (lent, told) in of_lent.iter().zip(&of_told) {
            prop_assert_eq!(bits(lent), bits(told));
        }
        sides.iter_mut().for_each(|side| side.take_over());
        members.iter_mut().for_each(|member| member.begin().unwrap());
        for (lent, told) in of_lent.iter().zip(&of_told) {
            prop_assert_eq!(bits(lent), bits(told));
        }
    }

    /// Threads that exchange as they come, each as often as it likes, the last ones long after the others: of whole numbers the centre has a
    /// quarter of each weight's changes, and each sum of squares whole. Also where the replica goes on while its messages are under way.
    #[test]
    fn put_and_take_lose_nothing(turns in turns(), late: bool, shards in 1..=SECTIONS) {
        let (between, set) = (between(Parallel::Mean, false), InstructionSet::best());
        let (centre, own) = (parameters(), [(); REPLICAS].map(|()| parameters()));
        let (mut expected, is_state) = (numbers(&centre), states());
        turns.iter().flat_map(|turn| &turn.1).for_each(|&(at, by)| expected[at] += by as f32 * if is_state[at] { 1.0 } else { 0.25 });
        thread::scope(|scope| {
            for ((number, own), carrier) in own.iter().enumerate().zip(group(set, &centre, between, shards)) {
                let turns = &turns;
                scope.spawn(move || {
                    let mut member = Member::new(Box::new(carrier), shards, own, between, late).unwrap();
                    for (_, changes, exchanges) in turns.iter().filter(|turn| turn.0 == number) {
                        if *exchanges && late {
                            member.send().unwrap();
                        }
                        change(own, changes);
                        if *exchanges {
                            if late { member.arrive().unwrap() } else { _ = member.exchange().unwrap() }
                        }
                    }
                    if late {
                        assert!(member.send().unwrap().is_some() && member.send().unwrap().is_none());
                        member.arrive().unwrap();
                        member.receive().unwrap();
                    } else {
                        member.exchange().unwrap();
                    }
                });
            }
        });
        prop_assert_eq!(numbers(&centre), expected);
    }

    /// A request that was cut or changed is refused, and then nothing has been done; or it says something else that may be said.
    #[test]
    fn a_damaged_request_does_nothing(at in 0usize..4000, byte: u8, cut in 0usize..8000) {
        let (between, set, own, centre) = (between(Parallel::Mean, false), InstructionSet::best(), parameters(), parameters());
        let before = numbers(&centre);
        let mut shard = Centre::new(set, &centre, between, 0, 1).unwrap();
        let mut message = request(&own, between, VectorRange { number: 0, of: 1 });
        let at = at % message.len();
        message[at] = byte;
        message.truncate(cut);
        if shard.handle(&message, &mut Vec::new()).is_err() {
            prop_assert_eq!(numbers(&centre), before);
        }
    }

    /// An answer that was cut or changed is refused; or it says another number of one cell, and the replica has all others from the centre.
    #[test]
    fn a_damaged_answer_is_refused_or_has_another_number(at in 0usize..4000, byte: u8, cut in 0usize..8000, elastic: bool) {
        let between = between(if elastic { Parallel::Elastic } else { Parallel::Mean }, false);
        let (set, own, centre, part) = (InstructionSet::best(), parameters(), parameters(), VectorRange { number: 0, of: 1 });
        change(&centre, &(0..cells()).map(|cell| (cell, 5)).collect::<Vec<_>>());
        let (mut request, mut answer) = (Vec::new(), Vec::new());
        join(&mut request, 0);
        Centre::new(set, &centre, between, 0, 1).unwrap().handle(&request, &mut answer).unwrap();
        let at = at % answer.len();
        answer[at] = byte;
        answer.truncate(cut);
        let mut end = ReplicaEnd::new(&own, between, false).unwrap();
        if let Ok((_, told)) = passed(&answer, |reader| end.read(part, true, reader)) {
            end.begin(part, &told);
            let others = bits(&own).into_iter().zip(bits(&centre)).filter(|(own, centre)| own != centre).count();
            prop_assert!(others <= 1, "{} cells, by byte {}", others, at);
        }
    }
}

/// By cell whether it is state.
fn states() -> Vec<bool> {
    let single = [false, true].repeat(203);
    // Two vectors of weights; then the weight beside, and states.
    let row = [vec![false; 33], vec![true; 15]].concat();
    [single, row.repeat(9)].concat()
}

/// What a replica tells that has changed all its cells.
fn request(own: &Parameters, between: Between, part: VectorRange) -> Vec<u8> {
    let mut end = ReplicaEnd::new(own, between, false).unwrap();
    let mut message = Vec::new();
    exchange(&mut message, 0);
    end.tell(part, &mut message);
    wire::end(&mut message);
    message
}

#[test]
fn what_is_foreign_is_refused_with_its_reason() {
    let (set, own, centre) = (InstructionSet::best(), parameters(), parameters());
    let refused = |between: Between, (number, of): (usize, usize), message: &[u8], says: &str| {
        let mut shard = Centre::new(set, &centre, between, number, of).unwrap();
        let error = shard.handle(message, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    let mean = between(Parallel::Mean, false);
    let second = request(&own, mean, VectorRange { number: 1, of: 2 });
    refused(mean, (0, 2), &second, "where one of 0 to");
    let other = Parameters::new(&Shape::of(TableShape::single(2000)), &Layout::of(&Adagrad::DEFAULT)).unwrap();
    change(&other, &(0..4000).map(|cell| (cell, 1)).collect::<Vec<_>>());
    refused(mean, (0, 1), &request(&other, mean, VectorRange { number: 0, of: 1 }), "of sixteen 26 where one of 26 to 26 is due");
    // By elastic averaging all that is the shard's passes.
    let elastic = between(Parallel::Elastic, false);
    refused(elastic, (0, 1), &request(&own, mean, VectorRange { number: 0, of: 1 }), "tells not all of the 26 sixteens");
    refused(mean, (0, 1), b"GET / HTTP/1.1\r\n\r\n", "is not of hogwild");
    // By the mean one number of each lane is due: its change.
    change(&own, &(0..cells()).map(|cell| (cell, 1)).collect::<Vec<_>>());
    refused(mean, (0, 1), &request(&own, elastic, VectorRange { number: 0, of: 1 }), "has two numbers of a lane");
}

#[test]
fn an_answer_that_lacks_cells_is_refused() {
    let (set, own, centre, part) = (InstructionSet::best(), parameters(), parameters(), VectorRange { number: 0, of: 1 });
    let answer = |parallel, message: &[u8]| {
        let mut answer = Vec::new();
        Centre::new(set, &centre, between(parallel, false), 0, 1).unwrap().handle(message, &mut answer).unwrap();
        answer
    };
    let read = |parallel, first, answer: &[u8]| {
        let end = ReplicaEnd::new(&own, between(parallel, false), false).unwrap();
        passed(answer, |reader| end.read(part, first, reader)).map(|(now, _)| now)
    };
    let mut message = Vec::new();
    join(&mut message, 1);
    let nothing = answer(Parallel::Mean, &message);
    assert_eq!(read(Parallel::Mean, false, &nothing).unwrap(), 0);
    for (parallel, first) in [(Parallel::Mean, true), (Parallel::Elastic, false)] {
        let error = read(parallel, first, &nothing).unwrap_err().to_string();
        assert!(error.contains("tells not all of the 26 sixteens"), "{error}");
    }
    // What a replica tells has some lanes of a sixteen; it stands behind an answer's frame here, and the number of an exchange.
    let mut some = nothing[..24].to_vec();
    ReplicaEnd::new(&own, between(Parallel::Mean, false), false).unwrap().tell(part, &mut some);
    wire::end(&mut some);
    assert!(read(Parallel::Mean, false, &some).unwrap_err().to_string().contains("has not one number of each lane of sixteen 0"));
}

/// Answers as it was told.
struct Deaf(fn() -> Result<Vec<u8>>);

impl Carrier for Deaf {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn all_to_all(&mut self, parts: Vec<Vec<u8>>, _within: Duration) -> Result<Vec<Vec<u8>>> {
        Ok(parts)
    }

    fn ask(&mut self, _shard: usize, _request: Vec<u8>) -> Result<Ticket> {
        Ok(Ticket(0))
    }

    fn answer(&mut self, _ticket: &Ticket, _within: Duration) -> Result<Vec<u8>> {
        (self.0)()
    }
}

#[test]
fn a_centre_that_does_not_answer_is_an_error_of_the_replica() {
    let own = parameters();
    let gone: fn() -> Result<Vec<u8>> = || Err(Error::Missing { who: "server 0 of 1".into(), what: "has ended".into() });
    let garbled: fn() -> Result<Vec<u8>> = || Ok(b"hogw".to_vec());
    for (answer, says) in [(gone, "server 0 of 1 has ended"), (garbled, "is cut short")] {
        let error = Member::new(Box::new(Deaf(answer)), 1, &own, between(Parallel::Mean, false), false).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
    }
}
