//! Every optimizer of the catalog.
pub(crate) trait Visit {
    fn case<R: crate::ElementRule + std::fmt::Debug>(&mut self, name: &str, options: R);
}
