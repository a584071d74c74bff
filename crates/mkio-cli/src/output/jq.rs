//! `--jq`: filters of the response.

use jaq_core::{
    Compiler, Ctx, Vars, data,
    load::{Arena, File, Loader},
    unwrap_valr,
};
use jaq_json::Val;
use serde_json::Value;

use crate::failure::{Exit, Failure, Result};

type Compiled = jaq_core::Filter<data::JustLut<Val>>;

/// A filter in jq's language.
pub struct Filter(Compiled);

impl Filter {
    pub fn new(code: &str) -> Result<Self> {
        let refuse = |what: String| Failure::usage(format!("--jq '{code}': {what}"));
        let defs = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let funs = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs());
        let arena = Arena::default();
        let program = File { code, path: () };
        let modules = Loader::new(defs).load(&arena, program).map_err(|_| {
            refuse("a filter in the language of jq is expected, such as '.[].name'".to_owned())
        })?;
        let filter = Compiler::default().with_funs(funs).compile(modules);
        let filter = filter.map_err(|errors| {
            let names = errors.iter().flat_map(|(_, all)| all);
            let names: Vec<String> = names.map(|(name, _)| format!("`{name}`")).collect();
            refuse(format!("it uses {}, which is not known", names.join(", ")))
        })?;
        Ok(Self(filter))
    }

    /// The output of the filter for a value: lines, texts without quotes.
    pub fn run(&self, input: &Value) -> Result<Vec<String>> {
        let failed = |what: String| Failure::new(Exit::Unusable, format!("--jq: {what}"));
        let text = input.to_string();
        let input = jaq_json::read::parse_single(text.as_bytes())
            .map_err(|error| failed(error.to_string()))?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let outputs = self.0.id.run((context, input)).map(unwrap_valr);
        outputs
            .map(|output| match output {
                Ok(Val::TStr(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
                Ok(value) => Ok(value.to_string()),
                Err(error) => Err(failed(error.to_string())),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_run() {
        let run = |code: &str| {
            Filter::new(code)
                .unwrap()
                .run(&json!([{"a": "x"}, {"a": 2}]))
        };
        assert_eq!(run(".[].a").unwrap(), ["x", "2"]);
        assert_eq!(run("map(select(.a == 2)) | length").unwrap(), ["1"]);
        assert!(run(".[].a | error").is_err());
        assert!(Filter::new(".[").is_err());
        let unknown = Filter::new("nonsense").map(drop).unwrap_err().to_string();
        assert!(unknown.contains("nonsense"), "{unknown}");
    }
}
