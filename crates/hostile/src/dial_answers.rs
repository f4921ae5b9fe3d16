//! Whatever a proxy answers to CONNECT, or a server to a request, the dialler ends with an answer or an error.

use std::cell::RefCell;

use bytes::Bytes;
use http::Request;
use postern_dial::{Dialer, Http, Proxies, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static WORLD: RefCell<(Runtime, TcpListener)> = {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        RefCell::new((runtime, listener))
    };
}

pub(crate) fn run(input: &[u8]) {
    let Some((through_proxy, answer)) = input.split_first() else { return };
    WORLD.with_borrow_mut(|(runtime, listener)| {
        let address = listener.local_addr().expect("it is bound");
        let (proxies, url) = match through_proxy % 2 {
            0 => (Proxies::new(&format!("http://{address}"), ""), "https://postern.example/".to_owned()),
            _ => (Proxies::none(), format!("http://{address}/")),
        };
        let http = Http::new(Dialer::new(Trust::native(), proxies));
        let request = Request::post(url).body(Bytes::from_static(b"{}")).expect("a request");
        runtime.block_on(async {
            let answering = async {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
                // A peer that goes with unread bytes would cut its answer off.
                while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {}
            };
            let _ = tokio::join!(http.send(request), answering);
        });
    });
}

/// The first byte says whether a proxy answers.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 5] = [
        b"\0HTTP/1.1 200 Connection established\r\n\r\n",
        b"\0HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
        b"\x01HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"\x01HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"\x01HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ];
    answers.map(<[u8]>::to_vec).into()
}
