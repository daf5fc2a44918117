//! Every schedule of the catalog.
pub(crate) trait Visit {
    fn case<S: super::Schedule>(&mut self, name: &str, options: S);
}
