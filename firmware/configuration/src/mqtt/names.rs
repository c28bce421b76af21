//! Names in topics.

/// Characters of a name in a topic.
pub(super) const NAME: &str = "a-z, A-Z, 0-9, _ and -, at most 64 of them";

pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

pub(super) fn is_topic(topic: &str) -> bool {
    (1..=128).contains(&topic.len())
        && topic.split('/').all(|level| !level.is_empty())
        && !topic.contains(|letter: char| letter.is_control() || "+#$".contains(letter))
}

/// The name of the host, with what a topic cannot hold replaced.
pub(super) fn host_name() -> String {
    // Both are Linux's; elsewhere the name below serves.
    let read = |path| std::fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    let name = name.unwrap_or_default();
    let name = name.trim();
    let name: String = name
        .chars()
        .take(64)
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    if name.is_empty() {
        "undertone".into()
    } else {
        name
    }
}
