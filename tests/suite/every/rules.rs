//! Every rule: it reaches a minimum, its proximal rate is that of its step, and a vector steps as single numbers do.
use hogwild::{
    F32x16, LANES, Rule,
    rules::{Clock, RuleVisitor, State, UpdateRule},
};

struct ProximalRate;

impl RuleVisitor for ProximalRate {
    type Output = ();

    fn visit<R: UpdateRule>(self, rule: R) {
        if !rule.proximal() {
            return;
        }
        let (step, mut state) = (rule.prepare(&Clock { rate: 0.3, step: 7, steps: 9 }, &R::Memory::default()), rule.initial());
        for g in [0.5f32, 0.4, 0.6] {
            let change = rule.step(&step, 0.0, g, &mut state);
            // What was taken is the rate times the gradient or an average of gradients.
            let taken = -change / rule.rate(&step, &state);
            assert!(taken > 0.04 && taken < 0.61, "{}: {taken} of {g}", std::any::type_name::<R>());
        }
    }
}

#[test]
fn proximal_rates_are_those_of_the_step() {
    Rule::ALL.into_iter().for_each(|rule| rule.visit(ProximalRate));
    assert!(Rule::ALL.iter().filter(|rule| rule.takes_l1()).count() >= 8);
}

struct Minimum;

impl RuleVisitor for Minimum {
    type Output = ();

    fn visit<R: UpdateRule>(self, rule: R) {
        let (mut w, mut state, mut memory) = (5.0, rule.initial(), R::Memory::default());
        // The rate falls, for rules whose steps do not shrink by themselves.
        let rate = |step: u64| 0.3 * (1.0 - (step - 1) as f32 / 20_000.0);
        let mut clock = Clock::default();
        for step in 1..=20_000 {
            clock = Clock { rate: rate(step), step, steps: 20_000 };
            let prepared = rule.prepare(&clock, &memory);
            let (g, before) = (2.0 * (rule.read(&prepared, w, &state) - 1.5), state);
            w = rule.step(&prepared, w, g, &mut state);
            rule.learn(&mut memory, rule.observe(g, &before, &state));
        }
        let w = rule.finish(&rule.prepare(&clock, &memory), w, &state);
        assert!((w - 1.5f32).abs() < 1e-2, "{}: {w}", std::any::type_name::<R>());
    }
}

#[test]
fn every_rule_reaches_a_parabolas_minimum() {
    for rule in Rule::ALL.into_iter().filter(Rule::takes_schedules) {
        rule.visit(Minimum);
    }
}

struct Finishes;

impl RuleVisitor for Finishes {
    type Output = bool;

    fn visit<R: UpdateRule>(self, rule: R) -> bool {
        let (mut w, mut state, mut is_weight) = (0.7f32, rule.initial(), true);
        for (step, g) in [(1, 0.5f32), (2, -1.5), (3, 0.25), (7, 2.0)] {
            let step = rule.prepare(&Clock { rate: 0.3, step, steps: 9 }, &R::Memory::default());
            w = rule.step(&step, w, g, &mut state);
            is_weight &= rule.finish(&step, w, &state).to_bits() == w.to_bits();
        }
        assert!(is_weight || rule.finishes(), "{}", std::any::type_name::<R>());
        rule.finishes()
    }
}

/// Where a rule says so, weights are copied for the model as they lie.
#[test]
fn weights_that_need_no_finish_are_the_models() {
    let finishing = Rule::ALL.into_iter().filter(|rule| rule.visit(Finishes)).count();
    assert!((1..Rule::ALL.len()).contains(&finishing), "{finishing}");
}

struct Lanes;

impl RuleVisitor for Lanes {
    type Output = ();

    fn visit<R: UpdateRule>(self, rule: R) {
        let name = std::any::type_name::<R>();
        let numbers = |shift: f32| -> [f32; LANES] { std::array::from_fn(|i| (i as f32 - shift) / 7.0) };
        let (mut single, mut many) = (numbers(3.0), F32x16(numbers(3.0)));
        let mut states = [rule.initial(); LANES];
        let mut state = R::State::<F32x16>::splat(F32x16::default());
        for (to, from) in state.as_mut().iter_mut().zip(rule.initial().as_ref()) {
            *to = F32x16([*from; LANES]);
        }
        for (step, shift) in [(3, 6.0), (5, 1.0), (9, 9.0)] {
            let step = rule.prepare(&Clock { rate: 0.3, step, steps: 9 }, &R::Memory::default());
            let gradient = numbers(shift);
            let read = rule.read(&step, many, &state);
            many = rule.step(&step, many, F32x16(gradient), &mut state);
            for i in 0..LANES {
                assert_eq!(rule.read(&step, single[i], &states[i]), read.0[i], "{name}");
                single[i] = rule.step(&step, single[i], gradient[i], &mut states[i]);
            }
        }
        assert_eq!(many.0, single, "{name}");
        for (i, single) in states.iter().enumerate() {
            assert!(state.as_ref().iter().map(|v| v.0[i]).eq(single.as_ref().iter().copied()), "{name}");
        }
    }
}

#[test]
fn steps_of_vectors_equal_single_steps() {
    for mut rule in Rule::ALL {
        rule.visit(Lanes);
        if rule.set("catch-up", "true").is_ok() {
            rule.visit(Lanes);
        }
    }
}
