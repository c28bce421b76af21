//! One sample of every message.

use undertone_wire::*;

pub(crate) fn samples() -> Vec<(&'static str, Message)> {
    let boot = core::array::from_fn(|index| index as u8);
    let model = core::array::from_fn(|index| 0xff - index as u8);
    let event = |phase, label, seq| {
        Message::Event(Event {
            phase,
            id: 7,
            channel: 1,
            label,
            confidence: 8125,
            scores: Scores::from_probabilities(&[0.05, 0.8125, 0.1, 0.0, 0.0125, 0.02, 0.005])
                .unwrap(),
            seq,
            monotonic_ms: 86_400_000,
        })
    };
    vec![
        (
            "Hello",
            Message::Hello(Hello::new("undertone", "0.1.0", model, boot)),
        ),
        (
            "Label",
            Message::Label(Label {
                index: 1,
                of: 7,
                name: "happy".try_into().unwrap(),
            }),
        ),
        ("Event start", event(Phase::Start, None, 300)),
        ("Event update", event(Phase::Update, Some(1), 301)),
        ("Event end", event(Phase::End, Some(1), 302)),
        (
            "Heartbeat",
            Message::Heartbeat(Heartbeat {
                uptime_ms: 5000,
                state: BoxState::Speech,
                signal: Signal::Ok,
            }),
        ),
        (
            "Health",
            Message::Health(Health {
                temperature_dc: Some(613),
                throttled: false,
                xruns: 2,
                gaps: 3,
                queue_depth: 0,
                inference_p50_us: 1800,
                inference_p95_us: 2900,
                inference_p99_us: 4100,
            }),
        ),
        (
            "Dropped",
            Message::Dropped(Dropped {
                count: 12,
                first_seq: 290,
                last_seq: 301,
            }),
        ),
    ]
}
