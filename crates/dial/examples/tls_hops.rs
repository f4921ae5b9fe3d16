//! What TLS over loopback can carry with the hops of a session, for `bench/`: a client, a server and a node that pass bytes on
//! and do nothing else, each a process of its own.
//!
//! `tls_hops make DIR` makes a certificate; `tls_hops client|server|node DIR LISTEN TO` relays, client to server to node:
//! as in a session, the first leg is TLS from the client to the server, the second one TLS as well.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark breaks off at any fault")]

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// As much as a message of a tunnel holds.
const BUFFER_BYTES: usize = 128 * 1024;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match arguments.as_slice() {
        ["make", directory] => make(Path::new(directory)),
        [role, directory, listen, to] => runtime.block_on(relay(role, Path::new(directory), listen, to)),
        _ => panic!("usage: tls_hops make DIR | client|server|node DIR LISTEN TO"),
    }
}

fn make(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("hop.pem"), made.cert.pem()).unwrap();
    fs::write(directory.join("hop.key"), made.signing_key.serialize_pem()).unwrap();
}

async fn relay(role: &str, directory: &Path, listen: &str, to: &str) {
    let listener = TcpListener::bind(listen).await.unwrap();
    let (accepts_tls, dials_tls) = match role {
        "client" => (false, true),
        "server" => (true, true),
        "node" => (true, false),
        other => panic!("{other} is no hop"),
    };
    let acceptor = acceptor(directory);
    let connector = connector(directory);
    let mut relayed = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let far = TcpStream::connect(to).await.unwrap();
        near.set_nodelay(true).unwrap();
        far.set_nodelay(true).unwrap();
        let (acceptor, connector) = (acceptor.clone(), connector.clone());
        relayed.spawn(async move {
            let near: Box<dyn Io> =
                if accepts_tls { Box::new(acceptor.accept(near).await.unwrap()) } else { Box::new(near) };
            let name = ServerName::try_from("localhost").unwrap();
            let far: Box<dyn Io> =
                if dials_tls { Box::new(connector.connect(name, far).await.unwrap()) } else { Box::new(far) };
            pass_on(near, far).await;
        });
    }
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

async fn pass_on(mut near: Box<dyn Io>, mut far: Box<dyn Io>) {
    // Its end says nothing new: whoever measures sees it.
    let _ = copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER_BYTES, BUFFER_BYTES).await;
}

fn certificate(directory: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(directory.join("hop.pem")).expect("`tls_hops make` made it")
}

fn acceptor(directory: &Path) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_file(directory.join("hop.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate(directory)], key).unwrap()).into()
}

fn connector(directory: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(directory)).unwrap();
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()).into()
}
