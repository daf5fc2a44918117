//! Groups by the names of the parameters.

use crate::{Optim, OptimError, Rule};
use gradus_autodiff::Parameter;

impl<R: Rule> Optim<R> {
    /// An optimizer with a group for each pattern: the first pattern that matches the name of a
    /// parameter decides. `*` in a pattern stands for any characters, also for none.
    ///
    /// # Errors
    /// If no pattern matches a parameter, or a pattern gets none (a misspelt name): both train silently
    /// wrong otherwise. Else as [`Optim::new`].
    ///
    /// # Example
    /// ```
    /// use gradus_autodiff::Parameter;
    /// use gradus_optim::{AdamW, AdamWOptions, Optimizer};
    /// let p = || Parameter::new([1.0]);
    /// let named = [("fc1.weight", p()), ("fc1.bias", p()), ("norm.weight", p())];
    /// let named = named.map(|(name, p)| (name.to_owned(), p));
    /// let decay = AdamWOptions::default();
    /// let plain = AdamWOptions { weight_decay: 0.0, ..decay.clone() };
    /// let opt = AdamW::by_pattern(named, [("norm.*", plain.clone()), ("*.bias", plain), ("*", decay)])?;
    /// let names: Vec<_> = opt.param_groups().into_iter().map(|g| g.names.join(" ")).collect();
    /// assert_eq!(names, ["norm.weight", "fc1.bias", "fc1.weight"]);
    /// # Ok::<(), gradus_optim::OptimError>(())
    /// ```
    pub fn by_pattern<'a>(
        parameters: impl IntoIterator<Item = (String, Parameter)>,
        groups: impl IntoIterator<Item = (&'a str, R)>,
    ) -> Result<Self, OptimError> {
        let mut groups: Vec<_> = groups.into_iter().map(|(p, r)| (p, r, Vec::new())).collect();
        for (name, parameter) in parameters {
            match groups.iter_mut().find(|(pattern, ..)| matches(pattern, &name)) {
                Some((.., members)) => members.push((name, parameter)),
                None => return Err(OptimError::NoPattern(name)),
            }
        }
        if let Some((pattern, ..)) = groups.iter().find(|(.., members)| members.is_empty()) {
            return Err(OptimError::IdlePattern((*pattern).to_owned()));
        }
        let mut groups = groups.into_iter();
        let (_, options, members) = groups.next().ok_or(OptimError::NoParameters)?;
        let mut new = Optim::new(members, options)?;
        groups.try_for_each(|(_, options, members)| new.add_group(members, options))?;
        Ok(new)
    }
}

/// Does `pattern` describe all of `name`?
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    // Leftmost matches leave the most for the last part.
    for part in parts {
        match name.split_once(part) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_any_run_of_characters() {
        for (pattern, name) in [
            ("a.b", "a.b"),
            ("*", ""),
            ("*", "x.y"),
            ("*.bias", "layers.0.bias"),
            ("layers.*.bias", "layers.0.norm.bias"),
            ("*norm*", "norm.weight"),
            ("a*b*c", "aXbYbZc"),
            ("a**", "a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a.b", "a.bc"),
            ("*.bias", "bias"),
            ("a*a", "a"),
            ("layers.*.bias", "layers.bias"),
            ("a*b*c", "acb"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
