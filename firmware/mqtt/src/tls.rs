//! TLS from PEM files. They are read anew for every connection, so that renewed certificates are taken up.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::{Doubt, Failure, TlsFiles};

/// Where distributions keep the authorities that the system trusts.
const SYSTEM: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// A connection that has not said anything yet.
///
/// # Errors
/// [`Failure::Certificate`] with the file that cannot be used.
pub fn connection(tls: &TlsFiles, host: &str) -> Result<ClientConnection, Failure> {
    shared(&Arc::new(config(tls)?), host)
}

/// The same with files that were read before, for many connections.
///
/// # Errors
/// [`Failure::Certificate`] when `host` is no name that a certificate can have.
pub fn shared(config: &Arc<ClientConfig>, host: &str) -> Result<ClientConnection, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Failure::Certificate(
            Doubt::Name,
            format!("{host:?} is no name that a certificate has"),
        )
    })?;
    ClientConnection::new(Arc::clone(config), name).map_err(Failure::from)
}

/// Reads every file.
///
/// # Errors
/// As [`connection`].
pub fn config(tls: &TlsFiles) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Failure::from)?
        .with_root_certificates(roots(tls.ca.as_deref())?);
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let key_der =
                PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, key_der)
                .map_err(|error| unusable(key, &error))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let path = match ca {
        Some(path) => path.to_owned(),
        None => system()?,
    };
    let (added, _) = roots.add_parsable_certificates(certificates(&path)?);
    if added == 0 {
        return Err(unusable(&path, &"no certificate of an authority in it"));
    }
    Ok(roots)
}

fn system() -> Result<PathBuf, Failure> {
    let found = SYSTEM.iter().map(PathBuf::from).find(|path| path.is_file());
    found.ok_or_else(|| {
        Failure::Certificate(
            Doubt::Issuer,
            "this system lists no trusted authorities (package ca-certificates); name a file with one".into(),
        )
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let parsed =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match parsed {
        Ok(certificates) if certificates.is_empty() => {
            Err(unusable(path, &"no certificate in it; PEM is what is read"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    Failure::Certificate(
        Doubt::File,
        format!("{} cannot be used: {reason}", path.display()),
    )
}
