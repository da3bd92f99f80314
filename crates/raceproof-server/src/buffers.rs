//! What `CLIENT LIST` tells of the buffers of a connection: those that a Redis would have for the same traffic.
//!
//! Ours are other buffers, so their sizes would say nothing to those who know Redis's. Redis gives an input buffer of
//! some 20 kB to who sends something, takes it back after 2 s without traffic, and lets it grow with large arguments; its reply buffer of 16 kB
//! shrinks to what was used of late, by half or more, and what does not fit goes into blocks behind it. What time does to them is
//! worked out when somebody asks.

use std::os::fd::AsRawFd;

use raceproof_engine::Buffers;

use crate::connection::{Connection, Socket};

/// What Redis reads into at first (bytes).
const INPUT: usize = 20_474;
/// Input buffers beyond it shrink when less was used of late (bytes).
const LARGE_INPUT: usize = 32 * 1024;
/// After how long without traffic there is no input buffer (s).
const IDLE_S: i64 = 2;
/// Between two looks at a client (ms).
const LOOK_MS: i64 = 100;
/// The reply buffer at its largest and at its smallest (bytes).
const REPLY: usize = 16 * 1024;
const SMALLEST_REPLY: usize = 1024;
/// The room of a block of the list behind it, and the block's own memory (bytes).
const BLOCK: usize = 20_464;
const BLOCK_HEAD: usize = 40;

/// How far the buffers of a connection have grown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    reply: usize,
    reply_peak: usize,
    reply_peak_ms: i64,
    looked_ms: Option<i64>,
    /// The most that waited to be understood, if it was much, and since when that is known.
    input_peak: usize,
    input_peak_ms: Option<i64>,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { reply: REPLY, reply_peak: REPLY, reply_peak_ms: 0, looked_ms: None, input_peak: 0, input_peak_ms: None }
    }
}

impl Sizes {
    /// So much is about to go out.
    pub(crate) fn note_output(&mut self, bytes: usize) {
        self.reply_peak = self.reply_peak.max(bytes.min(self.reply));
    }

    /// So much has come in and was not understood before.
    pub(crate) fn note_input(&mut self, bytes: usize) {
        if bytes > LARGE_INPUT && bytes > self.input_peak {
            self.input_peak = bytes;
            self.input_peak_ms = None;
        }
    }

    /// What Redis does from time to time, as often as it would have since somebody looked.
    fn catch_up(&mut self, now_ms: i64, waiting: usize, forget_ms: Option<i64>) {
        let since = *self.looked_ms.get_or_insert(now_ms - LOOK_MS);
        let looks = ((now_ms - since) / LOOK_MS).clamp(0, 64);
        for look in 1..=looks {
            let at_ms = since + look * LOOK_MS;
            if self.reply_peak < self.reply / 2 {
                self.reply = (self.reply_peak + 1).max(SMALLEST_REPLY);
            } else if self.reply_peak >= self.reply {
                self.reply = (self.reply * 2).min(REPLY);
            }
            if forget_ms.is_some_and(|ms| at_ms - self.reply_peak_ms > ms) {
                self.reply_peak = waiting.min(self.reply);
                self.reply_peak_ms = at_ms;
            }
        }
        if looks > 0 {
            self.looked_ms = Some(now_ms);
        }
    }

    fn input_room(&mut self, now_ms: i64, used: usize) -> usize {
        if self.input_peak > 0 {
            let since = *self.input_peak_ms.get_or_insert(now_ms);
            if now_ms - since >= 2 * LOOK_MS {
                self.input_peak = 0;
            }
        }
        INPUT.max(self.input_peak).max(used)
    }
}

impl Connection {
    /// What waits in Redis's reply buffer, in how many blocks behind it, and the memory of those.
    pub(crate) fn output_parts(&self) -> (usize, usize, usize) {
        let waiting = self.pending_output().saturating_sub(self.spared.saturating_sub(self.sent));
        let first = waiting.min(self.sizes.reply);
        let blocks = (waiting - first).div_ceil(BLOCK);
        (first, blocks, blocks * (BLOCK + BLOCK_HEAD))
    }

    /// The buffers as Redis would have them. The times are those of the universe.
    pub(crate) fn buffers(&mut self, now_ms: i64, forget_ms: Option<i64>) -> Buffers {
        let waiting = self.pending_output();
        self.sizes.catch_up(now_ms, waiting, forget_ms);
        let (output, output_blocks, output_memory) = self.output_parts();
        let arguments = self.parser.args.iter().map(bytes::Bytes::len).sum();
        let input = self.pending_input();
        let is_idle = now_ms.div_euclid(1000) - self.active_s > IDLE_S;
        let input_room = match self.traffic.reads {
            0 => 0,
            _ if is_idle => input,
            _ => self.sizes.input_room(now_ms, input.max(self.parser.expected())),
        };
        let file = match &self.socket {
            Socket::Tcp(stream) => stream.as_raw_fd(),
            Socket::Unix(stream) => stream.as_raw_fd(),
        };
        Buffers {
            file,
            input,
            input_room,
            arguments,
            reply_buffer: self.sizes.reply,
            reply_peak: self.sizes.reply_peak,
            output,
            output_blocks,
            output_memory,
            awaits_room: self.awaits_room,
        }
    }
}
