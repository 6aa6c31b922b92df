//! A rule whose type the compiler does not know: one type for all rules, built in or a user's own.
//!
//! Compiling inner loops is most of a build, so loops that seldom run are compiled once, for [`Erased`]. They reach the rule's formula by
//! calls, one for many vectors of sixteen weights, which pass through memory. So all that a rule adds to those loops is its formula, once an
//! instruction set. The same text, so the same bits. What often runs has the rule by its type: see `engine::compiled`.
use super::{
    Clock, Hyperparameter, Layout, State, UpdateRule,
    numbers::{MOST_STATE, Numbers},
};
use crate::simd::{InstructionSet, Isa, Job, Real, dispatch_formula};
use std::{any::Any, slice};

/// Some rule.
#[derive(Clone, Copy)]
pub struct Erased<'r> {
    rule: &'r dyn Formula,
    layout: Layout,
    averages: bool,
    proximal: bool,
    reads: bool,
    learns: bool,
    revises: bool,
}

impl<'r> Erased<'r> {
    /// The rule without its type.
    pub fn new<R: UpdateRule>(rule: &'r R) -> Erased<'r> {
        let [averages, proximal, reads] = [rule.averages(), rule.proximal(), rule.reads()];
        let [learns, revises] = [rule.learns(), rule.revises()];
        Erased { rule, layout: Layout::of(rule), averages, proximal, reads, learns, revises }
    }
}

/// What is asked of a formula.
#[derive(Clone, Copy)]
enum Ask {
    Read,
    Step,
    /// The step of the first numbers, since the state was that of the second ones.
    StepSince,
    /// The step of a sum of gradients: the second numbers are the sum of their squares and, as state, that of the first reading.
    StepSummed,
    Rate,
}

/// A rule as an object.
trait Formula: Send + Sync {
    fn schedules(&self) -> bool;
    fn default_rate(&self, mean_square: f32) -> f32;
    fn prepared<'r>(&'r self, clock: &Clock, memory: &ErasedMemory) -> Box<dyn Steps + 'r>;
    fn row_state(&self, mean_square: f32, state: &mut [f32; MOST_STATE]);
    fn observe(&self, set: Option<InstructionSet>, before: &Numbers, numbers: &mut Numbers);
    fn learn(&self, memory: &mut ErasedMemory, sums: [f32; 2]);
}

/// A rule with the step at hand, as an object.
trait Steps: Send + Sync {
    fn prepare(&mut self, clock: &Clock, memory: &ErasedMemory);
    fn ask(&self, ask: Ask, set: Option<InstructionSet>, numbers: &mut [Numbers]);
    fn finish(&self, w: f32, state: &[f32; MOST_STATE]) -> f32;
    fn row_scale(&self, state: &[f32; MOST_STATE]) -> f32;
    fn step_rowwise(&self, squares: [f32; 2], states: [&mut [f32; MOST_STATE]; 2]) -> [f32; 2];
    fn copy<'r>(&self) -> Box<dyn Steps + 'r>
    where
        Self: 'r;
}

/// A rule of a known type with the step at hand.
struct Of<'r, R: UpdateRule> {
    rule: &'r R,
    step: R::Step,
}

/// The numbers that the rule has beside one weight.
fn own<R: UpdateRule>(state: &[f32; MOST_STATE]) -> R::State<f32> {
    let mut own = R::State::splat(0.0);
    let n = own.as_ref().len();
    own.as_mut().copy_from_slice(&state[..n]);
    own
}

impl<R: UpdateRule> Formula for R {
    fn schedules(&self) -> bool {
        UpdateRule::schedules(self)
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        UpdateRule::default_rate(self, mean_square)
    }

    fn prepared<'r>(&'r self, clock: &Clock, memory: &ErasedMemory) -> Box<dyn Steps + 'r> {
        Box::new(Of { rule: self, step: memory.with(|memory| UpdateRule::prepare(self, clock, memory)) })
    }

    fn row_state(&self, mean_square: f32, state: &mut [f32; MOST_STATE]) {
        let mut own = own::<R>(state);
        UpdateRule::row_state(self, mean_square, &mut own);
        state[..own.as_ref().len()].copy_from_slice(own.as_ref());
    }

    fn observe(&self, set: Option<InstructionSet>, before: &Numbers, numbers: &mut Numbers) {
        match set {
            None => observe::<R, f32>(self, before, numbers),
            Some(set) => dispatch_formula(set, Observe { rule: self, before, numbers }),
        }
    }

    fn learn(&self, memory: &mut ErasedMemory, sums: [f32; 2]) {
        UpdateRule::learn(self, memory.get_mut(), sums);
    }
}

impl<R: UpdateRule> Steps for Of<'_, R> {
    fn prepare(&mut self, clock: &Clock, memory: &ErasedMemory) {
        self.step = memory.with(|memory| self.rule.prepare(clock, memory));
    }

    fn ask(&self, ask: Ask, set: Option<InstructionSet>, numbers: &mut [Numbers]) {
        let Of { rule, step } = self;
        match set {
            None => answer::<R, f32>(rule, step, ask, numbers),
            Some(set) => dispatch_formula(set, Answer { rule: *rule, step, ask, numbers }),
        }
    }

    fn finish(&self, w: f32, state: &[f32; MOST_STATE]) -> f32 {
        self.rule.finish(&self.step, w, &own::<R>(state))
    }

    fn row_scale(&self, state: &[f32; MOST_STATE]) -> f32 {
        self.rule.row_scale(&self.step, &own::<R>(state))
    }

    fn step_rowwise(&self, squares: [f32; 2], [row, beside]: [&mut [f32; MOST_STATE]; 2]) -> [f32; 2] {
        let (mut own_row, mut own_beside) = (own::<R>(row), own::<R>(beside));
        let scales = self.rule.step_rowwise(&self.step, squares, [&mut own_row, &mut own_beside]);
        for (to, from) in [(row, own_row), (beside, own_beside)] {
            to[..from.as_ref().len()].copy_from_slice(from.as_ref());
        }
        scales
    }

    fn copy<'r>(&self) -> Box<dyn Steps + 'r>
    where
        Self: 'r,
    {
        Box::new(Of { rule: self.rule, step: self.step.clone() })
    }
}

/// A formula to be compiled for each instruction set.
struct Answer<'a, R: UpdateRule> {
    rule: &'a R,
    step: &'a R::Step,
    ask: Ask,
    numbers: &'a mut [Numbers],
}

impl<R: UpdateRule> Job for Answer<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        answer::<R, I::V>(self.rule, self.step, self.ask, self.numbers);
    }
}

/// The same of what the rule observes.
struct Observe<'a, R> {
    rule: &'a R,
    before: &'a Numbers,
    numbers: &'a mut Numbers,
}

impl<R: UpdateRule> Job for Observe<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        observe::<R, I::V>(self.rule, self.before, self.numbers);
    }
}

/// The numbers are the gradient with the state after the step, and with the state before.
#[inline(always)]
fn observe<R: UpdateRule, V: Real>(rule: &R, before: &Numbers, numbers: &mut Numbers) {
    let (g, before, after) = (V::fill(&numbers.0[1]), before.state::<R, V>(2), numbers.state::<R, V>(2));
    numbers.put(0, &rule.observe(g, &before, &after));
}

#[inline(always)]
fn answer<R: UpdateRule, V: Real>(rule: &R, step: &R::Step, ask: Ask, all: &mut [Numbers]) {
    if let (Ask::StepSince, [now, read]) = (ask, &mut *all) {
        // Known to the compiler, which leaves the step out of all other rules.
        if rule.revises() {
            let mut state = now.state::<R, V>(2);
            let w = rule.step_since(step, V::fill(&now.0[0]), V::fill(&now.0[1]), &mut state, &read.state::<R, V>(2));
            w.spill(&mut now.0[0]);
            now.put(2, state.as_ref());
        }
        return;
    }
    if let (Ask::StepSummed, [now, read]) = (ask, &mut *all) {
        let ([w, g], squares) = ([V::fill(&now.0[0]), V::fill(&now.0[1])], V::fill(&read.0[0]));
        let mut state = now.state::<R, V>(2);
        rule.step_summed(step, w, g, squares, &mut state, &read.state::<R, V>(2)).spill(&mut now.0[0]);
        now.put(2, state.as_ref());
        return;
    }
    for numbers in all {
        let [w, g] = [V::fill(&numbers.0[0]), V::fill(&numbers.0[1])];
        let mut state = numbers.state::<R, V>(2);
        match ask {
            Ask::Read => rule.read(step, w, &state).spill(&mut numbers.0[0]),
            Ask::Step => {
                rule.step(step, w, g, &mut state).spill(&mut numbers.0[0]);
                numbers.put(2, state.as_ref());
            }
            Ask::StepSince | Ask::StepSummed => unreachable!("two numbers, as above"),
            Ask::Rate => rule.rate(step, &state).spill(&mut numbers.0[0]),
        }
    }
}

/// The step at hand of some rule.
pub struct Prepared<'r>(Box<dyn Steps + 'r>);

impl Clone for Prepared<'_> {
    fn clone(&self) -> Self {
        Prepared(self.0.copy())
    }
}

/// What some rule has learnt; nothing yet, as that of the rule is when new.
#[derive(Default)]
pub struct ErasedMemory(Option<Box<dyn Memory>>);

trait Memory: Any + Send + Sync {
    fn copy(&self) -> Box<dyn Memory>;
}

impl<M: Any + Clone + Send + Sync> Memory for M {
    fn copy(&self) -> Box<dyn Memory> {
        Box::new(self.clone())
    }
}

impl Clone for ErasedMemory {
    fn clone(&self) -> Self {
        ErasedMemory(self.0.as_ref().map(|memory| (**memory).copy()))
    }
}

impl ErasedMemory {
    fn with<M: Default + 'static, T>(&self, work: impl FnOnce(&M) -> T) -> T {
        match &self.0 {
            None => work(&M::default()),
            Some(memory) => work((&**memory as &dyn Any).downcast_ref().expect("the memory of this rule")),
        }
    }

    fn get_mut<M: Clone + Default + Send + Sync + 'static>(&mut self) -> &mut M {
        let memory = self.0.get_or_insert_with(|| Box::new(M::default()));
        (&mut **memory as &mut dyn Any).downcast_mut().expect("the memory of this rule")
    }
}

impl<'r> UpdateRule for Erased<'r> {
    type State<V: Real> = [V; MOST_STATE];
    type Step = Prepared<'r>;
    type Memory = ErasedMemory;
    const ERASED: bool = true;

    fn layout(&self) -> Layout {
        self.layout
    }

    fn rowwise(&self) -> bool {
        self.layout.rowwise
    }

    fn averages(&self) -> bool {
        self.averages
    }

    fn proximal(&self) -> bool {
        self.proximal
    }

    fn reads(&self) -> bool {
        self.reads
    }

    fn learns(&self) -> bool {
        self.learns
    }

    fn revises(&self) -> bool {
        self.revises
    }

    fn schedules(&self) -> bool {
        self.rule.schedules()
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        Vec::new() // they are set before
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        self.rule.default_rate(mean_square)
    }

    fn initial(&self) -> [f32; MOST_STATE] {
        self.layout.initial
    }

    fn prepare(&self, clock: &Clock, memory: &ErasedMemory) -> Prepared<'r> {
        Prepared(self.rule.prepared(clock, memory))
    }

    fn prepare_next(&self, clock: &Clock, memory: &ErasedMemory, step: &mut Prepared<'r>) {
        step.0.prepare(clock, memory);
    }

    #[inline(always)]
    fn read<V: Real>(&self, step: &Prepared<'r>, w: V, state: &[V; MOST_STATE]) -> V {
        let mut numbers = Numbers::new(w, V::of(0.0), state);
        step.0.ask(Ask::Read, V::SET, slice::from_mut(&mut numbers));
        V::fill(&numbers.0[0])
    }

    fn finish(&self, step: &Prepared<'r>, w: f32, state: &[f32; MOST_STATE]) -> f32 {
        step.0.finish(w, state)
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &Prepared<'r>, w: V, g: V, state: &mut [V; MOST_STATE]) -> V {
        let mut numbers = Numbers::new(w, g, state);
        step.0.ask(Ask::Step, V::SET, slice::from_mut(&mut numbers));
        numbers.take(2, state);
        V::fill(&numbers.0[0])
    }

    #[inline(always)]
    fn step_since<V: Real>(&self, step: &Prepared<'r>, w: V, g: V, state: &mut [V; MOST_STATE], read: &[V; MOST_STATE]) -> V {
        let mut numbers = [Numbers::new(w, g, state), Numbers::new(w, g, read)];
        step.0.ask(Ask::StepSince, V::SET, &mut numbers);
        numbers[0].take(2, state);
        V::fill(&numbers[0].0[0])
    }

    #[inline(always)]
    fn step_summed<V: Real>(&self, step: &Prepared<'r>, w: V, g: V, squares: V, state: &mut [V; MOST_STATE], read: &[V; MOST_STATE]) -> V {
        let mut numbers = [Numbers::new(w, g, state), Numbers::new(squares, g, read)];
        step.0.ask(Ask::StepSummed, V::SET, &mut numbers);
        numbers[0].take(2, state);
        V::fill(&numbers[0].0[0])
    }

    #[inline(always)]
    fn rate<V: Real>(&self, step: &Prepared<'r>, state: &[V; MOST_STATE]) -> V {
        let mut numbers = Numbers::new(V::of(0.0), V::of(0.0), state);
        step.0.ask(Ask::Rate, V::SET, slice::from_mut(&mut numbers));
        V::fill(&numbers.0[0])
    }

    fn row_scale(&self, step: &Prepared<'r>, state: &[f32; MOST_STATE]) -> f32 {
        step.0.row_scale(state)
    }

    fn row_state(&self, mean_square: f32, state: &mut [f32; MOST_STATE]) {
        self.rule.row_state(mean_square, state);
    }

    fn step_rowwise(&self, step: &Prepared<'r>, squares: [f32; 2], states: [&mut [f32; MOST_STATE]; 2]) -> [f32; 2] {
        step.0.step_rowwise(squares, states)
    }

    fn step_all(&self, step: &Prepared<'r>, set: Option<InstructionSet>, numbers: &mut [Numbers]) {
        step.0.ask(Ask::Step, set, numbers);
    }

    #[inline(always)]
    fn observe<V: Real>(&self, g: V, before: &[V; MOST_STATE], after: &[V; MOST_STATE]) -> [V; 2] {
        let (before, mut numbers) = (Numbers::new(g, g, before), Numbers::new(g, g, after));
        self.rule.observe(V::SET, &before, &mut numbers);
        [V::fill(&numbers.0[0]), V::fill(&numbers.0[1])]
    }

    fn learn(&self, memory: &mut ErasedMemory, sums: [f32; 2]) {
        self.rule.learn(memory, sums);
    }
}
