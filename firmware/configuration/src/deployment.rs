//! `[deployment]`: what the box is used for. The rule itself is in `undertone-deployment`.

use super::field::{Field, field};

pub(super) const FIELDS: &[Field] = &[
    field(
        "deployment.purpose",
        "none: nothing starts without it",
        "one line of 1 to 100 characters",
        "What the box is used for, in your words; `evaluation` for a demo or a bench, `acoustic-only` to have no emotions inferred.",
    ),
    field(
        "deployment.subjects",
        "none; \"volunteers\" for the purpose evaluation",
        "\"volunteers\", \"customers\", \"patients\", \"residents\", \"public\", \"employees\", \"students\"",
        "Who is listened to. Employees and students are refused unless legal_basis is medical or safety.",
    ),
    field(
        "deployment.legal_basis",
        "none",
        "\"consent\", \"contract\", \"legal-obligation\", \"public-task\", \"legitimate-interests\", \"medical\", \"safety\"",
        "On what ground.",
    ),
    field(
        "deployment.controller",
        "none",
        "one line of 1 to 200 characters",
        "Name and address of whoever is responsible; for `undertone notice`.",
    ),
    field(
        "deployment.contact",
        "none",
        "one line of 1 to 200 characters",
        "Where those who are listened to can turn to; for `undertone notice`.",
    ),
];
