//! The topics of a box.

/// Every topic of a box, under `PREFIX/DEVICE/`.
#[derive(Debug, Clone)]
pub struct Topics {
    base: String,
    /// `online`, `stopped` or, as the last will, `offline`; retained.
    pub availability: String,
    /// [`Info`](crate::Info); retained.
    pub info: String,
    /// [`Status`](crate::Status); retained.
    pub state: String,
    /// Events, aggregates, and what was dropped.
    pub event: String,
    /// Levels.
    pub levels: String,
    /// [`Health`](crate::Health); retained.
    pub health: String,
    /// The filter of all commands.
    pub commands: String,
}

impl Topics {
    /// The topics of a device.
    pub fn new(prefix: &str, device: &str) -> Self {
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
    pub fn command(&self, name: &str) -> String {
        format!("{}/cmd/{name}", self.base)
    }

    /// The topic of a command's result.
    pub fn result(&self, name: &str) -> String {
        format!("{}/result", self.command(name))
    }

    /// The name of the command that a topic is for.
    pub fn command_name<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let rest = topic.strip_prefix(&self.base)?;
        let name = rest.strip_prefix("/cmd/")?;
        (!name.contains('/')).then_some(name)
    }
}
