//! Bytes of the standard, and bytes of nobody.

use super::write::connect;
use super::*;
use proptest::prelude::*;

#[test]
fn packets_have_the_bytes_of_the_standard() {
    let mut out = Vec::new();
    connect(
        &mut out,
        &Connect {
            client_id: "box",
            keep_alive_s: 30,
            user: Some("u"),
            password: Some("p"),
            will: Some(("a", "offline")),
        },
    );
    assert_eq!(
        out,
        b"\x10\x21\0\x04MQTT\x04\xEE\0\x1E\0\x03box\0\x01a\0\x07offline\0\x01u\0\x01p"
    );
    out.clear();
    publish(
        &mut out,
        &Message {
            topic: "a/b",
            payload: &[7; 200],
            retain: true,
            id: Some(258),
        },
    );
    assert_eq!(out[..10], *b"\x33\xCF\x01\0\x03a/b\x01\x02");
    assert_eq!(out.len(), 3 + 207);
    out.clear();
    subscribe(&mut out, 1, &["c/+"]);
    pub_ack(&mut out, 5);
    assert_eq!(out, b"\x82\x08\0\x01\0\x03c/+\x01\x40\x02\0\x05");
}

#[test]
fn what_a_broker_sends_is_read_whole_however_it_is_cut() {
    let mut sent = b"\x20\x02\0\x05\x90\x03\0\x01\x80\x40\x02\0\x09\xD0\0".to_vec();
    publish(
        &mut sent,
        &Message {
            topic: "t",
            payload: b"on",
            retain: false,
            id: Some(3),
        },
    );
    let (mut bytes, mut skip, mut seen) = (Vec::new(), 0, Vec::new());
    for byte in sent {
        bytes.push(byte);
        seen.extend(take(&mut bytes, &mut skip).unwrap());
    }
    let publish = Incoming::Publish {
        topic: "t".into(),
        payload: b"on".into(),
        retain: false,
        id: Some(3),
    };
    assert_eq!(
        seen,
        [
            Incoming::ConnAck(5),
            Incoming::SubAck(vec![0x80]),
            Incoming::PubAck(9),
            Incoming::PingResp,
            publish
        ]
    );
    assert!(bytes.is_empty());
}

#[test]
fn a_packet_of_endless_length_is_refused_before_it_is_kept() {
    let refused = |bytes: &[u8]| {
        let failure = take(&mut bytes.to_vec(), &mut 0).unwrap_err();
        (failure.kind(), failure.cause().to_owned())
    };
    let (kind, cause) = refused(b"\x90\xFF\xFF\x7F");
    assert_eq!(kind, "protocol");
    assert!(cause.starts_with("a packet of 2097151 bytes"), "{cause}");
    let (kind, cause) = refused(b"\x30\xFF\xFF\xFF\xFF\x01");
    assert_eq!(kind, "protocol");
    assert!(cause.starts_with("a packet of type 3 "), "{cause}");
}

#[test]
fn a_message_that_is_too_long_is_acknowledged_and_never_kept() {
    let mut sent = Vec::new();
    let payload = vec![7; 3_000_000];
    let (topic, retain, id) = ("undertone/box/cmd/mute", true, Some(9));
    let payload = payload.as_slice();
    publish(
        &mut sent,
        &Message {
            topic,
            payload,
            retain,
            id,
        },
    );
    sent.extend(b"\xD0\0");
    for piece in [1, 1000] {
        let (mut bytes, mut skip, mut seen) = (Vec::new(), 0, Vec::new());
        for part in sent.chunks(piece) {
            bytes.extend(part);
            while let Some(packet) = take(&mut bytes, &mut skip).unwrap() {
                seen.push(packet);
            }
            assert!(bytes.len() <= LONGEST);
        }
        assert_eq!(
            seen,
            [Incoming::TooLong { id: Some(9) }, Incoming::PingResp]
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (mut bytes, mut skip) = (bytes, 0);
        while let Ok(Some(_)) = take(&mut bytes, &mut skip) {}
    }
}
