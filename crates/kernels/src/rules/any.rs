//! One type for all rules that keep as many numbers beside a weight: they share compiled loops.
//!
//! Compiling the inner loops is nearly all of the time that the crate takes to build, so only a few rules have loops of their own (see
//! `engine::compiled`). The others go by [`Any`], which chooses the rule's step by a `match`, sixteen weights at a time: always the same
//! branch, so the processor foresees it, and the step is compiled into the loop like any other. Rows of factors go by one `match` each. The
//! same text, so the same bits.
use super::*;
use crate::simd::copy;
use bytemuck::Pod;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A rule with `N` numbers of state.
#[derive(Clone, Copy)]
pub struct Any<const N: usize>(Rule);

impl<const N: usize> Any<N> {
    /// # Panics
    /// When the rule has not `N` numbers of state, or is row-wise.
    pub fn new(rule: Rule) -> Any<N> {
        assert_eq!(rule.state_len(), N, "{rule} shares loops with rules of its own number of state numbers");
        assert!(!with_rule!(rule, rule => rule.rowwise()), "{rule} lays out rows in another way");
        Any(rule)
    }
}

/// Whether the rule has `N` numbers of state. Known to the compiler, which leaves out what follows for the others.
#[inline(always)]
const fn fits<R: UpdateRule, const N: usize>() -> bool {
    <R::State<f32> as State<f32>>::LEN == N
}

/// The state as a rule that [fits] has it.
#[inline(always)]
fn own<R: UpdateRule, V: Real, const N: usize>(state: &[V; N]) -> R::State<V> {
    let mut own = R::State::splat(V::of(0.0));
    copy(state, own.as_mut());
    own
}

/// What a rule has prepared, four numbers at most, as two words: they pass in registers, and are stored and loaded whole. Plain numbers were
/// stored one by one and loaded by sixteen, as the compiler saw fit, which waits for the stores, and the next example with it (Adam on
/// ratings: half of the time). Of atomics each load is one.
pub struct AnyStep(AtomicU64, AtomicU64);

impl Clone for AnyStep {
    fn clone(&self) -> AnyStep {
        let [a, b] = self.words();
        AnyStep(a.into(), b.into())
    }
}

impl AnyStep {
    #[inline(always)]
    fn pack<T: Pod>(step: T) -> (u64, u64) {
        const { assert!(size_of::<T>() <= size_of::<AnyStep>()) };
        let mut bits = [0u32; 4];
        copy(bytemuck::bytes_of(&step), bytemuck::bytes_of_mut(&mut bits));
        let [a, b, c, d] = bits;
        (a as u64 | (b as u64) << 32, c as u64 | (d as u64) << 32)
    }

    #[inline(always)]
    fn words(&self) -> [u64; 2] {
        [self.0.load(Relaxed), self.1.load(Relaxed)]
    }

    #[inline(always)]
    fn unpack<T: Pod>(&self) -> T {
        let [a, b] = self.words();
        let number = f32::from_bits;
        let numbers = [number(a as u32), number((a >> 32) as u32), number(b as u32), number((b >> 32) as u32)];
        bytemuck::pod_read_unaligned(&bytemuck::bytes_of(&numbers)[..size_of::<T>()])
    }
}

macro_rules! any {
    ($($variant:ident)*) => {
        /// What each rule keeps from example to example: nothing, but for those that tune themselves.
        #[derive(Clone, Default)]
        #[allow(non_snake_case)]
        pub struct AnyMemory {
            $($variant: <$variant as UpdateRule>::Memory,)*
        }

        #[inline(always)]
        fn prepare(rule: &Rule, clock: &Clock, memory: &AnyMemory) -> (u64, u64) {
            match *rule {
                $(Rule::$variant(rule) => AnyStep::pack(rule.prepare(clock, &memory.$variant)),)*
            }
        }

        #[inline(never)]
        fn learn(rule: &Rule, memory: &mut AnyMemory, sums: [f32; 2]) {
            match *rule {
                $(Rule::$variant(rule) => rule.learn(&mut memory.$variant, sums),)*
            }
        }

        impl Rule {
            /// How many numbers the rule keeps beside a weight.
            pub const fn state_len(&self) -> usize {
                match self {
                    $(Rule::$variant(_) => <<$variant as UpdateRule>::State<f32> as State<f32>>::LEN,)*
                }
            }
        }

        impl<const N: usize> UpdateRule for Any<N> {
            type State<V: Real> = [V; N];
            type Step = AnyStep;
            type Memory = AnyMemory;

            #[inline(always)]
            fn averages(&self) -> bool {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.averages(),)*
                    _ => false,
                }
            }

            #[inline(always)]
            fn proximal(&self) -> bool {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.proximal(),)*
                    _ => false,
                }
            }

            #[inline(always)]
            fn reads(&self) -> bool {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.reads(),)*
                    _ => false,
                }
            }

            #[inline(always)]
            fn learns(&self) -> bool {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.learns(),)*
                    _ => false,
                }
            }

            #[inline(always)]
            fn revises(&self) -> bool {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.revises(),)*
                    _ => false,
                }
            }

            #[inline(always)]
            fn schedules(&self) -> bool {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.schedules(),)*
                    _ => false,
                }
            }

            fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
                self.0.hyperparameters()
            }

            fn default_rate(&self, mean_square: f32) -> f32 {
                self.0.default_rate(mean_square)
            }

            fn initial(&self) -> [f32; N] {
                with_rule!(self.0, rule => std::array::from_fn(|i| rule.initial().as_ref()[i]))
            }

            #[inline(always)]
            fn prepare(&self, clock: &Clock, memory: &AnyMemory) -> AnyStep {
                let (a, b) = prepare(&self.0, clock, memory);
                AnyStep(a.into(), b.into())
            }

            #[inline(always)]
            fn read<V: Real>(&self, step: &AnyStep, w: V, state: &[V; N]) -> V {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.read(&step.unpack(), w, &own::<$variant, V, N>(state)),)*
                    _ => other_state(),
                }
            }

            fn finish(&self, step: &AnyStep, w: f32, state: &[f32; N]) -> f32 {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.finish(&step.unpack(), w, &own::<$variant, f32, N>(state)),)*
                    _ => other_state(),
                }
            }

            #[inline(always)]
            fn with<W: ForRule>(&self, step: &AnyStep, work: W) {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => work.run(&rule, &step.unpack()),)*
                    _ => other_state(),
                }
            }

            #[inline(always)]
            fn step<V: Real>(&self, step: &AnyStep, w: V, g: V, state: &mut [V; N]) -> V {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => {
                        let mut own = own::<$variant, V, N>(state);
                        let w = rule.step(&step.unpack(), w, g, &mut own);
                        copy(own.as_ref(), state);
                        w
                    })*
                    _ => other_state(),
                }
            }

            // Only rules that revise get here, so the others' steps are not compiled once more.
            #[inline(always)]
            fn step_since<V: Real>(&self, step: &AnyStep, w: V, g: V, state: &mut [V; N], read: &[V; N]) -> V {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() && rule.revises() => {
                        let (mut own, read) = (own::<$variant, V, N>(state), own::<$variant, V, N>(read));
                        let w = rule.step_since(&step.unpack(), w, g, &mut own, &read);
                        copy(own.as_ref(), state);
                        w
                    })*
                    _ => other_state(),
                }
            }

            #[inline(always)]
            fn rate<V: Real>(&self, step: &AnyStep, state: &[V; N]) -> V {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => rule.rate(&step.unpack(), &own::<$variant, V, N>(state)),)*
                    _ => other_state(),
                }
            }

            #[inline(always)]
            fn observe<V: Real>(&self, g: V, before: &[V; N], after: &[V; N]) -> [V; 2] {
                match self.0 {
                    $(Rule::$variant(rule) if fits::<$variant, N>() => {
                        rule.observe(g, &own::<$variant, V, N>(before), &own::<$variant, V, N>(after))
                    })*
                    _ => other_state(),
                }
            }

            fn learn(&self, memory: &mut AnyMemory, sums: [f32; 2]) {
                learn(&self.0, memory, sums);
            }
        }
    };
}
list_rules!(any);

/// What [`Any::new`] does not let be.
#[cold]
#[inline(never)]
fn other_state() -> ! {
    unreachable!("a rule with another number of state numbers")
}

/// `with_any!([Sgd] rule, any => expression)` runs the expression with the rule as [`Any`] of its number of state numbers, but with those
/// that share number and layout of state with no other as they are.
macro_rules! with_any {
    ([$($alone:ident),*] $rule:expr, $any:ident => $body:expr) => {{
        let rule: $crate::rules::Rule = $rule;
        match (rule, rule.state_len()) {
            $(($crate::rules::Rule::$alone($any), _) => $body,)*
            (_, 1) => {
                let $any = $crate::rules::Any::<1>::new(rule);
                $body
            }
            (_, 2) => {
                let $any = $crate::rules::Any::<2>::new(rule);
                $body
            }
            _ => {
                let $any = $crate::rules::Any::<3>::new(rule);
                $body
            }
        }
    }};
}
pub(crate) use with_any;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::F32x16;

    /// All that a rule does to a weight over some steps, as numbers.
    fn path<R: UpdateRule>(rule: &R) -> Vec<f32> {
        let (mut memory, mut w) = (R::Memory::default(), F32x16::of(0.5));
        let mut state = R::State::splat(F32x16::of(0.0));
        let (initial, n) = (rule.initial(), Layout::of(rule).state);
        state.as_mut().iter_mut().zip(initial.as_ref()).for_each(|(s, &x)| *s = F32x16::of(x));
        let mut seen = vec![rule.default_rate(3.0)];
        for step in [1, 2, 3, 7] {
            let prepared = rule.prepare(&Clock { rate: 0.3, step, steps: 9 }, &memory);
            let (g, before) = (F32x16(std::array::from_fn(|i| (i as f32 - 6.5) / step as f32)), state);
            seen.extend(rule.read(&prepared, w, &state).0);
            w = rule.step(&prepared, w, g, &mut state);
            if rule.revises() {
                // A gradient of twice the size, from before the step.
                w = rule.step_since(&prepared, w, g + g, &mut state, &before);
            }
            seen.extend(w.0.into_iter().chain(rule.rate(&prepared, &state).0));
            seen.extend(state.as_ref()[..n].iter().flat_map(|s| s.0));
            let observed = rule.observe(g, &before, &state).map(|x| x.0[3]);
            rule.learn(&mut memory, observed);
            seen.extend(observed.into_iter().chain([rule.finish(&prepared, 0.2, &initial)]));
        }
        let facts = [rule.rowwise(), rule.averages(), rule.proximal(), rule.reads(), rule.learns(), rule.revises(), rule.schedules()];
        seen.extend(facts.map(|fact| fact as u8 as f32));
        seen
    }

    #[test]
    fn each_rule_steps_by_any_and_erased_as_by_its_own_type() {
        for mut rule in Rule::ALL {
            let equal = |rule: Rule| {
                let (own, any) = (with_rule!(rule, own => path(&own)), with_any!([Sgd, AdagradRowwise] rule, any => path(&any)));
                let erased = with_rule!(rule, own => path(&Erased::new(&own)));
                for other in [any, erased] {
                    assert!(own.iter().map(|x| x.to_bits()).eq(other.iter().map(|x| x.to_bits())), "{rule}");
                }
            };
            equal(rule);
            if rule.set("catch_up", "true").is_ok() {
                equal(rule);
            }
        }
    }

    #[test]
    #[should_panic(expected = "of its own number")]
    fn a_rule_goes_by_its_own_number_of_state_numbers() {
        Any::<1>::new(Rule::named("adam").unwrap());
    }

    #[test]
    #[should_panic(expected = "in another way")]
    fn row_wise_rules_go_by_their_own_layout() {
        Any::<1>::new(Rule::named("adagrad-rowwise").unwrap());
    }
}
