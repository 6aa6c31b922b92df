//! Calls something with a rule's own type, for each rule in turn or for one.
use hogwild::{Rule, rules::UpdateRule};

/// What is to be done with a rule of any type.
pub trait Visit {
    fn visit<R: UpdateRule>(&mut self, rule: R);
}

/// Does it with one rule.
pub fn visit(rule: Rule, visitor: &mut impl Visit) {
    match rule {
        Rule::Sgd(r) => visitor.visit(r),
        Rule::Momentum(r) => visitor.visit(r),
        Rule::Nesterov(r) => visitor.visit(r),
        Rule::Adagrad(r) => visitor.visit(r),
        Rule::AdagradRowwise(r) => visitor.visit(r),
        Rule::Adadelta(r) => visitor.visit(r),
        Rule::Rmsprop(r) => visitor.visit(r),
        Rule::Adam(r) => visitor.visit(r),
        Rule::Adamax(r) => visitor.visit(r),
        Rule::Nadam(r) => visitor.visit(r),
        Rule::Amsgrad(r) => visitor.visit(r),
        Rule::AdamW(r) => visitor.visit(r),
        Rule::PowerSign(r) => visitor.visit(r),
        Rule::AddSign(r) => visitor.visit(r),
        Rule::Ftrl(r) => visitor.visit(r),
        Rule::YellowFin(r) => visitor.visit(r),
        other => panic!("{other} is not listed in tests/rules"),
    }
}
