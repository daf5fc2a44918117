//! The pages beside the source: every Rust block of the README, of CONTRIBUTING and of the book is
//! compiled and run by `cargo test`, so that none of them goes stale.

/// Only the README needs the digits.
#[cfg(feature = "digits")]
#[doc = include_str!("../../../README.md")]
mod readme {}

#[doc = include_str!("../../../CONTRIBUTING.md")]
mod contributing {}

/// `pages! { name: "page.md" }` is a module with that page of the book as its documentation. A test finds
/// pages that stand in the book and not here.
macro_rules! pages {
    ($($name:ident: $page:literal;)*) => {
        $(#[doc = include_str!(concat!("../../../docs/", $page))]
        mod $name {})*
    };
}

pages! {
    quick_start: "quick-start.md";
    coming_from_pytorch: "coming-from-pytorch.md";
    the_tape: "the-tape.md";
    kernels: "kernels.md";
    differences: "differences.md";
    founding_text: "founding-text.md";
}

mod optimizers {
    pages! {
        choosing: "optimizers/choosing.md";
        defaults: "optimizers/defaults.md";
        gradient_descent: "optimizers/gradient-descent.md";
        momentum: "optimizers/momentum.md";
        adaptive: "optimizers/adaptive.md";
        the_adam_family: "optimizers/the-adam-family.md";
        large_models: "optimizers/large-models.md";
        averages: "optimizers/averages.md";
        second_order: "optimizers/second-order.md";
        sam: "optimizers/sam.md";
    }
}

mod training {
    pages! {
        schedules: "training/schedules.md";
        learning_rate: "training/learning-rate.md";
        clipping: "training/clipping.md";
        accumulation: "training/accumulation.md";
        mixed_precision: "training/mixed-precision.md";
        averaging: "training/averaging.md";
    }
}
