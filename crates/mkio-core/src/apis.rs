pub(crate) const APIS: &[&str] = &["media"];
pub(crate) const ON_DEVICES: &[&str] = &["channels"];
