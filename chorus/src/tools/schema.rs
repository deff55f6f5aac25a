//! `chorus schema`: the JSON Schemas of the public faces and of rule files, generated from the types.

use std::path::{Path, PathBuf};

use schemars::{Schema, schema_for};

use crate::config::Config;
use crate::exit::Exit;

/// Every schema with its file name.
#[must_use]
pub fn all() -> Vec<(&'static str, Schema)> {
    let mut schemas = chorus_model::schema::all();
    schemas.push(("config.schema.json", schema_for!(Config)));
    schemas.push(("rules.schema.json", chorus_processors::detect::schema()));
    schemas
}

fn text(schema: &Schema) -> Result<String, Exit> {
    Ok(serde_json::to_string_pretty(schema).map_err(anyhow::Error::from)? + "\n")
}

/// Writes all schemas into a folder, or prints their names and texts.
///
/// # Errors
/// When a file cannot be written.
pub fn run(folder: Option<&PathBuf>) -> Result<(), Exit> {
    for (name, schema) in all() {
        match folder {
            Some(folder) => write(folder, name, &text(&schema)?)?,
            None => print!("// {name}\n{}", text(&schema)?),
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Exit> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join(name), text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_in_docs_are_those_of_the_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
        for (name, schema) in all() {
            let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert_eq!(kept, text(&schema).unwrap(), "{name}: run `make schemas`");
        }
    }
}
