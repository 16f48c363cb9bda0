//! The table as `template.yaml` defines it, for the process on one machine and for tests. Refuses
//! to define anything itself: the template is the only description of infrastructure.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use serde::Deserialize;
use yaml_serde::Value;

/// The template, as it was when this was built.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("the template does not read as YAML")]
    Yaml(#[from] yaml_serde::Error),
    #[error("the template has no resource named Table with properties")]
    NoTable,
    #[error("the table's definition is incomplete")]
    Incomplete(#[from] BuildError),
    #[error("the table was not created")]
    Refused(#[from] Box<SdkError<CreateTableError>>),
}

/// What is read of the table's properties; how it is run is the cloud's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableProperties {
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<Key>,
    global_secondary_indexes: Vec<Index>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    #[serde(rename = "IndexName")]
    name: String,
    key_schema: Vec<Key>,
    projection: Projected,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projected {
    projection_type: String,
}

/// The parsed template. Functions such as `!Ref` stand in it as tagged values.
pub fn template() -> Result<Value, SchemaError> {
    Ok(yaml_serde::from_str(TEMPLATE)?)
}

/// Creates the table with its indexes; answers `false` where it already exists.
pub async fn create_table(client: &Client, name: &str) -> Result<bool, SchemaError> {
    let table = table()?;
    let mut call = client.create_table().table_name(name);
    for attribute in &table.attribute_definitions {
        let kind = ScalarAttributeType::from(attribute.attribute_type.as_str());
        let definition = AttributeDefinition::builder().attribute_type(kind);
        let definition = definition.attribute_name(&attribute.attribute_name);
        call = call.attribute_definitions(definition.build()?);
    }
    for index in &table.global_secondary_indexes {
        let kind = ProjectionType::from(index.projection.projection_type.as_str());
        let definition = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(keys(&index.key_schema)?))
            .projection(Projection::builder().projection_type(kind).build());
        call = call.global_secondary_indexes(definition.build()?);
    }
    let call = call.set_key_schema(Some(keys(&table.key_schema)?));
    let created = call.billing_mode(BillingMode::PayPerRequest).send().await;
    match created {
        Ok(_) => Ok(true),
        Err(error) if is_there(&error) => Ok(false),
        Err(error) => Err(Box::new(error).into()),
    }
}

fn is_there(error: &SdkError<CreateTableError>) -> bool {
    let refused = error.as_service_error();
    refused.is_some_and(CreateTableError::is_resource_in_use_exception)
}

fn table() -> Result<TableProperties, SchemaError> {
    let template = template()?;
    let table = template
        .get("Resources")
        .and_then(|resources| resources.get("Table"))
        .and_then(|table| table.get("Properties"))
        .ok_or(SchemaError::NoTable)?;
    Ok(yaml_serde::from_value(table.clone())?)
}

fn keys(keys: &[Key]) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |key: &Key| {
        KeySchemaElement::builder()
            .attribute_name(&key.attribute_name)
            .key_type(KeyType::from(key.key_type.as_str()))
            .build()
    };
    keys.iter().map(element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_defines_the_table_and_its_three_indexes() {
        let table = table().unwrap();
        let named = |keys: &[Key]| -> Vec<String> {
            let key = |key: &Key| format!("{} {}", key.attribute_name, key.key_type);
            keys.iter().map(key).collect()
        };
        assert_eq!(named(&table.key_schema), ["pk HASH", "sk RANGE"]);
        let indexes: Vec<_> = table
            .global_secondary_indexes
            .iter()
            .map(|index| (index.name.as_str(), named(&index.key_schema).join(", ")))
            .collect();
        assert_eq!(
            indexes,
            [
                ("due", "due_list HASH, due_at RANGE".to_owned()),
                ("by_customer", "list_customer HASH, pk RANGE".to_owned()),
                ("by_time", "list_shard HASH, pk RANGE".to_owned()),
            ]
        );
        for index in &table.global_secondary_indexes {
            assert_eq!(index.projection.projection_type, "KEYS_ONLY");
        }
    }

    #[test]
    fn every_key_attribute_is_defined_and_no_other() {
        let table = table().unwrap();
        let indexes = table.global_secondary_indexes.iter();
        let mut used: Vec<_> = indexes
            .flat_map(|index| &index.key_schema)
            .chain(&table.key_schema)
            .map(|key| key.attribute_name.as_str())
            .collect();
        used.sort_unstable();
        used.dedup();
        let defined = table.attribute_definitions.iter();
        let mut defined: Vec<_> = defined.map(|it| it.attribute_name.as_str()).collect();
        defined.sort_unstable();
        assert_eq!(defined, used);
    }
}
