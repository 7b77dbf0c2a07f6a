//! A server's receiver takes any bytes in any cutting: what it reports, what it answers, where it stops and what it holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_driver::Role;

fuzz_target!(|data: &[u8]| ws_fuzz::receiver::check(Role::Server, data));
