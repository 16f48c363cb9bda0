//! Reads attributes out of an item, saying which one is damaged.

use aws_sdk_dynamodb::types::AttributeValue;
use jobs::Timestamp;
use jobs::ports::PortError;

use super::keys::{Item, PK};

/// An item being read.
pub(super) struct Attributes<'a>(pub(super) &'a Item);

impl<'a> Attributes<'a> {
    pub(super) fn damaged(&self, name: &str) -> PortError {
        let pk = self.0.get(PK).and_then(|pk| pk.as_s().ok());
        let pk = pk.map_or("without a key", String::as_str);
        PortError::Corrupt(format!("attribute {name} of item {pk}"))
    }

    pub(super) fn get(&self, name: &str) -> Result<&'a AttributeValue, PortError> {
        self.0.get(name).ok_or_else(|| self.damaged(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, PortError> {
        let value = self.get(name)?.as_s();
        value.map(String::as_str).map_err(|_| self.damaged(name))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, PortError> {
        let number = self.get(name)?.as_n().map_err(|_| self.damaged(name))?;
        number.parse().map_err(|_| self.damaged(name))
    }

    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, PortError>,
    ) -> Result<Option<T>, PortError> {
        if self.0.contains_key(name) {
            read(self, name).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn time(&self, name: &str) -> Result<Timestamp, PortError> {
        self.number(name).map(Timestamp::from_millis)
    }

    /// Reads a word through `parse`, which knows the allowed ones.
    pub(super) fn word<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, PortError> {
        parse(self.text(name)?).ok_or_else(|| self.damaged(name))
    }
}
