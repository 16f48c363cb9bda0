//! What travels through a queue: the id of a job and the version of this shape. A message is a
//! hint that the row may want attention; it refuses to carry state.

use serde::{Deserialize, Serialize};

use crate::id::JobId;

const VERSION: u32 = 1;

/// "Look at this job."
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub job_id: JobId,
}

/// A body that no version of ours wrote.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the message is not readable: {0}")]
pub struct Unreadable(String);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    v: u32,
    job_id: String,
}

impl Message {
    pub fn encode(&self) -> String {
        format!(r#"{{"v":{VERSION},"jobId":"{}"}}"#, self.job_id)
    }

    /// Reads a body. Fields that a later version adds are left alone.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        let body: Body =
            serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
        if body.v != VERSION {
            return Err(Unreadable(format!("version {} is not known", body.v)));
        }
        match JobId::parse(&body.job_id) {
            Some(job_id) => Ok(Self { job_id }),
            None => Err(Unreadable("jobId is not an id of ours".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_message_has_one_shape_and_reads_back() {
        let job_id = JobId::new(Timestamp::from_millis(1_700_000_000_000), 7);
        let message = Message { job_id };
        assert_eq!(
            message.encode(),
            r#"{"v":1,"jobId":"job_01hf7yat000000000000000007"}"#
        );
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn what_is_not_ours_is_unreadable() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"v":2,"jobId":"job_01hf7yat000000000000000007"}"#,
            r#"{"v":1,"jobId":"x"}"#,
        ] {
            assert!(Message::decode(text).is_err(), "{text}");
        }
    }
}
