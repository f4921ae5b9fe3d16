//! A port of this machine that takes datagrams: a stream for each program that sends some.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use postern_protocol::tunnel::{Destination, Open};
use postern_tunnel::{Datagrams, Socket};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::{ForwardId, Offered};

/// The longest datagram of UDP.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Programs at once; what others send is lost meanwhile.
const PROGRAMS_MAX: usize = 512;

/// Offers a stream for each program, which lives until the session gives it up.
pub(super) async fn serve(
    socket: &UdpSocket,
    forward: ForwardId,
    to: &Destination,
    offers: &mpsc::Sender<Offered>,
) {
    let mut programs: HashMap<SocketAddr, mpsc::Sender<Bytes>> = HashMap::new();
    let mut answers = FuturesUnordered::new();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                // An error tells of an earlier answer that nobody took.
                let Ok((length, source)) = received else { continue };
                let datagram = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                if let Some(program) = programs.get(&source) {
                    // What has no room is lost, as with any socket.
                    let _ = program.try_send(datagram);
                } else if programs.len() < PROGRAMS_MAX {
                    let (ours, theirs) = Datagrams::pair();
                    let _ = ours.outgoing.try_send(datagram);
                    let open = Open { destination: to.clone(), source: source.to_string() };
                    let offered = Offered { forward, open, socket: Socket::Datagrams(theirs), answers: None };
                    match offers.try_send(offered) {
                        Ok(()) => {
                            programs.insert(source, ours.outgoing);
                            answers.push(next(source, ours.incoming));
                        }
                        Err(TrySendError::Full(_)) => {}
                        Err(TrySendError::Closed(_)) => return,
                    }
                }
            }
            Some((source, incoming, answer)) = answers.next() => match answer {
                Some(answer) => {
                    // A program that is gone gets nothing.
                    let _ = socket.send_to(&answer, source).await;
                    answers.push(next(source, incoming));
                }
                None => {
                    programs.remove(&source);
                }
            },
        }
    }
}

/// The next answer for a program; none if its stream is over.
async fn next(
    source: SocketAddr,
    mut incoming: mpsc::Receiver<Bytes>,
) -> (SocketAddr, mpsc::Receiver<Bytes>, Option<Bytes>) {
    let answer = incoming.recv().await;
    (source, incoming, answer)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn each_program_has_a_stream_and_its_own_answers() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let place = socket.local_addr().unwrap();
        let (offer, mut offers) = mpsc::channel::<Offered>(4);
        let to = Destination::Udp { host: "dns".into(), port: 53 };
        let test = async {
            let mut streams = Vec::new();
            let mut programs = Vec::new();
            for question in ["one", "two"] {
                let program = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                program.send_to(question.as_bytes(), place).await.unwrap();
                let offered = offers.recv().await.unwrap();
                assert_eq!(offered.open.source, program.local_addr().unwrap().to_string());
                let Socket::Datagrams(mut stream) = offered.socket else { panic!("not datagrams") };
                assert_eq!(stream.incoming.recv().await.unwrap(), question.as_bytes());
                streams.push(stream);
                programs.push(program);
            }
            for (stream, answer) in streams.iter().zip(["1", "2"]) {
                stream.outgoing.send(Bytes::from(answer)).await.unwrap();
            }
            for (program, answer) in programs.iter().zip(["1", "2"]) {
                let mut got = [0; 8];
                assert_eq!(program.recv(&mut got).await.unwrap(), 1);
                assert_eq!(&got[..1], answer.as_bytes());
            }
            // A stream that is over gives way to another.
            streams.clear();
            let again = async {
                loop {
                    programs[0].send_to(b"again", place).await.unwrap();
                    tokio::task::yield_now().await;
                    if let Ok(offered) = offers.try_recv() {
                        return offered.open.source;
                    }
                }
            };
            assert_eq!(again.await, programs[0].local_addr().unwrap().to_string());
        };
        tokio::select! {
            () = serve(&socket, ForwardId(1), &to, &offer) => panic!("it serves for ever"),
            () = test => {}
        }
    }
}
