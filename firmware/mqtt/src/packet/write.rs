//! Packets to bytes.

use super::{Connect, Message};

/// Says who we are.
pub(crate) fn connect(out: &mut Vec<u8>, connect: &Connect<'_>) {
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    // Level 4; clean session, will with QoS 1 and retained (3.1.2.3).
    let will = u8::from(connect.will.is_some()) * 0b0010_1100;
    let user = u8::from(connect.user.is_some()) << 7;
    let password = u8::from(connect.password.is_some()) << 6;
    body.extend([4, user | password | will | 0b0000_0010]);
    body.extend(connect.keep_alive_s.to_be_bytes());
    text(&mut body, connect.client_id);
    for part in connect.will.iter().flat_map(|will| [will.0, will.1]) {
        text(&mut body, part);
    }
    for part in [connect.user, connect.password].into_iter().flatten() {
        text(&mut body, part);
    }
    packet(out, 0x10, &body);
}

/// Publishes a message.
pub fn publish(out: &mut Vec<u8>, message: &Message<'_>) {
    let mut body = Vec::with_capacity(message.topic.len() + message.payload.len() + 4);
    text(&mut body, message.topic);
    body.extend(message.id.iter().flat_map(|id| id.to_be_bytes()));
    body.extend(message.payload);
    let qos = u8::from(message.id.is_some()) << 1;
    packet(out, 0x30 | qos | u8::from(message.retain), &body);
}

/// Subscribes to filters with QoS 1.
pub fn subscribe(out: &mut Vec<u8>, id: u16, filters: &[&str]) {
    let mut body = id.to_be_bytes().to_vec();
    for filter in filters {
        text(&mut body, filter);
        body.push(1);
    }
    packet(out, 0x82, &body);
}

/// Acknowledges a message by its packet identifier.
pub fn pub_ack(out: &mut Vec<u8>, id: u16) {
    packet(out, 0x40, &id.to_be_bytes());
}

/// UTF-8 with its length before it (1.5.3); what does not fit is cut, which no topic, name or password of ours reaches.
fn text(out: &mut Vec<u8>, text: &str) {
    let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

/// Type and flags, the remaining length (2.2.3), the rest.
fn packet(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    let mut length = body.len();
    loop {
        let more = length > 127;
        out.push((length % 128) as u8 | u8::from(more) << 7);
        length /= 128;
        if !more {
            break;
        }
    }
    out.extend(body);
}
