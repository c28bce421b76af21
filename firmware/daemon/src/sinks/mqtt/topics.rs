//! The topics of a box.

/// Every topic of a box, under `PREFIX/DEVICE/`.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    base: String,
    pub(super) availability: String,
    pub(super) info: String,
    pub(super) state: String,
    pub(super) event: String,
    pub(super) levels: String,
    pub(super) health: String,
    /// The filter of all commands.
    pub(super) commands: String,
}

impl Topics {
    pub(super) fn new(prefix: &str, device: &str) -> Self {
        let base = format!("{prefix}/{device}");
        let under = |name: &str| format!("{base}/{name}");
        Topics {
            availability: under("availability"),
            info: under("info"),
            state: under("state"),
            event: under("event"),
            levels: under("levels"),
            health: under("health"),
            commands: under("cmd/+"),
            base,
        }
    }

    /// The topic of a command.
    pub(super) fn command(&self, name: &str) -> String {
        format!("{}/cmd/{name}", self.base)
    }

    /// The topic of a command's result.
    pub(super) fn result(&self, name: &str) -> String {
        format!("{}/result", self.command(name))
    }

    /// The name of the command that a topic is for.
    pub(super) fn command_name<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let rest = topic.strip_prefix(&self.base)?;
        let name = rest.strip_prefix("/cmd/")?;
        (!name.contains('/')).then_some(name)
    }
}
