//! A rule as its own type: what is done with it is written once, over [`UpdateRule`], and reached from a [`Rule`] that is chosen by name.
//!
//! The `match` comes from the one list of rules, so that whoever visits keeps no second one.
use super::{Rule, UpdateRule, with_rule};

/// Work that needs the type of a rule, for [`Rule::visit`].
///
/// ```
/// use hogwild::{Rule, rules::{RuleVisitor, UpdateRule}};
/// /// How many numbers a rule keeps beside each weight.
/// struct NumbersKept;
/// impl RuleVisitor for NumbersKept {
///     type Output = usize;
///     fn visit<R: UpdateRule>(self, rule: R) -> usize { rule.initial().as_ref().len() }
/// }
///
/// let kept = |name| Rule::named(name).map(|rule| rule.visit(NumbersKept));
/// assert_eq!([kept("sgd"), kept("adam")], [Some(0), Some(2)]);
/// ```
pub trait RuleVisitor {
    /// What the work gives, the same type for every rule.
    type Output;
    /// Does the work.
    fn visit<R: UpdateRule>(self, rule: R) -> Self::Output;
}

impl Rule {
    /// Does work with the rule as its own type.
    pub fn visit<V: RuleVisitor>(self, visitor: V) -> V::Output {
        with_rule!(self, rule => visitor.visit(rule))
    }
}
