//! `template.yaml` as it was when this was built, for the process on one machine and for tests.
//! Refuses to define anything itself: the template is the only description of infrastructure.

use yaml_serde::Value;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The parsed template. Functions such as `!Ref` stand in it as tagged values.
pub fn template() -> Result<Value, yaml_serde::Error> {
    yaml_serde::from_str(TEMPLATE)
}
