//! The one list of what has compiled loops of its own.
//!
//! A loop is compiled for each model, rule, instruction set and way, and takes a second or two of the compiler's time; all of them made up
//! nine tenths of a build. So the rules that data sets are trained with by default, and those that they are compared with, are compiled by
//! type; all others go by [`Any`](crate::rules::Any), a few hundredths slower, to the same bits. A user's own rule is compiled by type.

/// `with_compiled!(rule, r => expression)` runs the expression with the rule as the type whose loops are compiled.
macro_rules! with_compiled {
    ($rule:expr, $r:ident => $body:expr) => {
        match $rule {
            $crate::Rule::Sgd($r) => $body,
            $crate::Rule::Adagrad($r) => $body,
            $crate::Rule::AdagradRowwise($r) => $body,
            $crate::Rule::Ftrl($r) => $body,
            other => $crate::rules::with_any!(other, $r => $body),
        }
    };
}
pub(super) use with_compiled;
