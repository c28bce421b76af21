//! Who is on which channel of a call, and whether that may be analysed.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result};
use undertone_deployment::{Deployment, DeploymentSection, Subjects};

/// The longest name of a role, in bytes.
const MAX_NAME: usize = 40;
/// The most channels that can be named; the decoder takes no more.
const MAX_ROLES: usize = 16;
/// Roles that people have at their workplace, and in education.
const AT_WORK: [&str; 7] = [
    "agent",
    "colleague",
    "employee",
    "operator",
    "staff",
    "supervisor",
    "worker",
];
const IN_EDUCATION: [&str; 3] = ["pupil", "student", "trainee"];

/// One entry for each channel of a recording: its role, or `None` for one that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roles(Vec<Option<String>>);

impl Roles {
    /// Channels that a recording must have.
    pub(super) fn channels(&self) -> usize {
        self.0.len()
    }

    /// The analysed channels by their number, with their role.
    pub(super) fn analysed(&self) -> impl Iterator<Item = (usize, &str)> {
        let named = self.0.iter().enumerate();
        named.filter_map(|(number, role)| Some((number, role.as_deref()?)))
    }

    /// Refuses a role by which the subjects are others than those declared.
    ///
    /// # Errors
    /// The prohibition, with the role.
    pub(super) fn check(&self, deployment: &Deployment) -> Result<()> {
        if deployment.subjects == Subjects::Volunteers {
            return Ok(());
        }
        for (number, role) in self.analysed() {
            let lower = role.to_lowercase();
            let subjects = if AT_WORK.contains(&lower.as_str()) {
                Subjects::Employees
            } else if IN_EDUCATION.contains(&lower.as_str()) {
                Subjects::Students
            } else {
                continue;
            };
            let section = DeploymentSection {
                purpose: Some(deployment.purpose.clone()),
                subjects: Some(subjects),
                legal_basis: deployment.legal_basis,
                ..DeploymentSection::default()
            };
            section.check().with_context(|| {
                format!("--roles analyses the {role} on channel {number}; leave that channel out with - in its place")
            })?;
        }
        Ok(())
    }
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let roles = text
            .split(',')
            .map(str::trim)
            .map(role)
            .collect::<Result<Vec<_>, _>>()?;
        if roles.len() > MAX_ROLES {
            return Err(format!(
                "{} roles are named, but a recording has at most {MAX_ROLES} channels",
                roles.len()
            ));
        }
        let named: Vec<&String> = roles.iter().flatten().collect();
        if named.is_empty() {
            return Err(format!(
                "{text:?} leaves every channel out: name at least one role"
            ));
        }
        if let Some(twice) = named
            .iter()
            .enumerate()
            .find(|(at, role)| named[..*at].contains(role))
        {
            return Err(format!(
                "the role {:?} is named twice: give each channel its own",
                twice.1
            ));
        }
        Ok(Roles(roles))
    }
}

fn role(name: &str) -> Result<Option<String>, String> {
    if matches!(name, "-" | "skip") {
        return Ok(None);
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
        return Err(format!(
            "{name:?} is not a role: give 1 to {MAX_NAME} letters, digits, blanks, _ or -; a channel is left out with - or skip"
        ));
    }
    Ok(Some(name.to_owned()))
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .0
            .iter()
            .map(|role| role.as_deref().unwrap_or("-"))
            .collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_deployment::LegalBasis;

    fn roles(text: &str) -> Roles {
        text.parse().unwrap()
    }

    #[test]
    fn a_channel_is_named_or_left_out() {
        let parsed = roles("customer, - ,skip,second caller");
        assert_eq!(
            parsed.analysed().collect::<Vec<_>>(),
            [(0, "customer"), (3, "second caller")]
        );
        assert_eq!(
            (parsed.channels(), parsed.to_string().as_str()),
            (4, "customer,-,-,second caller")
        );
    }

    #[test]
    fn lists_that_mean_nothing_are_refused() {
        let many = ["a", "b"]
            .iter()
            .cycle()
            .take(17)
            .enumerate()
            .map(|(n, x)| format!("{x}{n}"));
        let many = many.collect::<Vec<_>>().join(",");
        for text in [
            "",
            "-",
            "skip,-",
            "a,,b",
            "a,a",
            "a\nb",
            "a/b",
            many.as_str(),
            "x".repeat(41).as_str(),
        ] {
            assert!(text.parse::<Roles>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_agent_is_an_employee_whatever_subjects_are_declared() {
        let customers = |legal_basis| Deployment {
            purpose: "call quality".into(),
            subjects: Subjects::Customers,
            legal_basis,
        };
        assert!(roles("customer,-").check(&customers(None)).is_ok());
        for text in ["customer,agent", "-,Student"] {
            let error = format!(
                "{:#}",
                roles(text)
                    .check(&customers(Some(LegalBasis::Consent)))
                    .unwrap_err()
            );
            assert!(
                error.contains("channel 1") && error.contains("Article 5"),
                "{error}"
            );
            assert!(
                roles(text)
                    .check(&customers(Some(LegalBasis::Safety)))
                    .is_ok()
            );
        }
        let test = DeploymentSection {
            purpose: Some("evaluation".into()),
            ..DeploymentSection::default()
        };
        assert!(
            roles("customer,agent")
                .check(&test.check().unwrap())
                .is_ok()
        );
    }
}
