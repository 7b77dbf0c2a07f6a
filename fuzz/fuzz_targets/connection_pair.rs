//! Two connections do what a script says: send whole and in parts, ping, close, move some bytes, wait, lose the
//! transport. Each sees what the other has sent, in order, up to its end, and each comes to one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_driver::{Config, Delivery, Role};
use ws_fuzz::{Input, Pair};
use ws_testkit::Endpoint;

/// More steps find nothing that fewer do not, and take their time.
const STEPS: usize = 100;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let [client, server] = [Role::Client, Role::Server].map(|role| Endpoint::with(config(role, &mut input)));
    let mut pair = Pair::new(client, server);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        pair.step(&mut input);
    }
    pair.finish();
});

fn config(role: Role, input: &mut Input<'_>) -> Config {
    let mut config = Config::new(role);
    let bits = input.byte();
    config.delivery = if bits & 1 == 0 { Delivery::Whole } else { Delivery::Parts };
    if bits & 2 != 0 {
        config.limits.max_sent_frame_len = usize::from(bits >> 4);
    }
    if bits & 4 != 0 {
        config.limits.max_pending_pongs = usize::from(bits >> 6);
    }
    if bits & 8 != 0 {
        config.limits.high_water_mark = 100;
        config.limits.max_queued_beyond_mark = 100;
    }
    config
}
