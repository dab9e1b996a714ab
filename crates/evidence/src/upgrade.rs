//! Evidence documents of earlier versions, brought up to today's types.
//!
//! When `domain::evidence::EVIDENCE_VERSION` rises, add one step at the end of [`STEPS`] and one sample of the old
//! version under `fixtures/v<old>/`; nothing already there ever changes.

use bartizan_domain::evidence::EVIDENCE_VERSION;
use serde_json::Value;

use crate::CodecError;

/// Turns the evidence of one version into that of the next.
type Step = fn(Value) -> Result<Value, String>;

/// `STEPS[0]` leads from version 1 to 2, and so on.
const STEPS: &[Step] = &[];

const _: () = assert!(STEPS.len() + 1 == EVIDENCE_VERSION as usize, "one step per version after the first");

/// Applies every step from `version` to today's.
pub(crate) fn to_current(version: u64, evidence: Value) -> Result<Value, CodecError> {
    apply(STEPS, version, evidence)
}

fn apply(steps: &[Step], version: u64, evidence: Value) -> Result<Value, CodecError> {
    let newest = u32::try_from(steps.len() + 1).unwrap_or(u32::MAX);
    if version > u64::from(newest) {
        return Err(CodecError::Newer { what: "the evidence document", found: version, newest });
    }
    let first = usize::try_from(version).ok().and_then(|version| version.checked_sub(1));
    let first = first.ok_or_else(|| CodecError::damaged("evidence versions start at 1"))?;
    steps.iter().skip(first).try_fold(evidence, |value, step| step(value)).map_err(CodecError::Damaged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ADD: Step = |mut value| {
        value["trail"] = json!(format!("{}a", value["trail"].as_str().unwrap_or_default()));
        Ok(value)
    };
    const DOUBLE: Step = |mut value| {
        value["trail"] = json!(format!("{}b", value["trail"].as_str().unwrap_or_default()));
        Ok(value)
    };

    #[test]
    fn each_version_takes_exactly_the_steps_it_lacks() {
        let steps = [ADD, DOUBLE];
        for (version, trail) in [(1, "ab"), (2, "b"), (3, "")] {
            let upgraded = apply(&steps, version, json!({ "trail": "" })).unwrap();
            assert_eq!(upgraded["trail"], trail, "from version {version}");
        }
        assert!(matches!(apply(&steps, 4, json!({})), Err(CodecError::Newer { found: 4, newest: 3, .. })));
        assert!(matches!(apply(&steps, 0, json!({})), Err(CodecError::Damaged(_))));
    }

    #[test]
    fn a_step_that_cannot_be_taken_is_an_error() {
        let failing: [Step; 1] = [|_| Err("no address".to_owned())];
        assert!(apply(&failing, 1, json!({})).unwrap_err().to_string().contains("no address"));
    }
}
