//! Descriptors: one for each box.

use anyhow::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// What is needed beside the boxes.
const OTHERS: u64 = 64;

/// Raises the limit of this process as far as it must be.
///
/// # Errors
/// When the system does not allow so many.
pub(crate) fn raise(boxes: u64) -> Result<()> {
    let need = boxes + OTHERS;
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= need) {
        return Ok(());
    }
    let allowed = now.maximum;
    let wanted = Rlimit {
        current: Some(need),
        maximum: Some(allowed.unwrap_or(need).max(need)),
    };
    let wanted = if allowed.is_none() {
        Rlimit {
            maximum: None,
            ..wanted
        }
    } else {
        wanted
    };
    setrlimit(Resource::Nofile, wanted).map_err(|error| {
        let allowed = allowed.map_or("unlimited".to_owned(), |most| most.to_string());
        Failure::error(
            "fleet-descriptors",
            format!("{boxes} connections take {need} descriptors, and this user may have {allowed}: {error}"),
            format!("ulimit -Hn {need} as root, or LimitNOFILE={need}, or fewer --boxes"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_raised_and_what_is_not_is_told() {
        raise(10).unwrap();
        // No kernel has so many.
        let error = raise(1 << 40).unwrap_err();
        assert!(error.to_string().contains("descriptors"), "{error}");
    }
}
