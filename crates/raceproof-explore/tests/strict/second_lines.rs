//! Parts that guard what another part guards as well: without one of them nothing breaks within these bounds, without
//! both it does. They stay in the protocol, and what they are worth is known.

use raceproof_explore::Fault;

use crate::mutants::no_script_looks;
use crate::{Edit, NOTHING, breaks, holds, of};

const LEASE_UNDER_MARK: Edit = ("  if #writes > 0 then return { \"busy\", writes[1] } end\n", "");
const FILL_UNDER_MARK: Edit = ("  if redis.call(\"HLEN\", KEYS[4]) > 0 then return \"busy\" end\n", "");

#[test]
fn a_lease_and_a_fill_look_for_marks() {
    holds("a lease under a mark", &[LEASE_UNDER_MARK], NOTHING);
    holds("a fill under a mark", &[FILL_UNDER_MARK], NOTHING);
    breaks("both", &[LEASE_UNDER_MARK, FILL_UNDER_MARK], NOTHING);
}

const MARK_LEAVES_LEASE: Edit =
    ("ARGV[2], 1)\n  redis.call(\"DEL\", KEYS[2], KEYS[3])", "ARGV[2], 1)\n  redis.call(\"DEL\", KEYS[2])");
const FINISH_LEAVES_LEASE: Edit =
    ("ARGV[1])\n  redis.call(\"DEL\", KEYS[2], KEYS[3])", "ARGV[1])\n  redis.call(\"DEL\", KEYS[2])");

#[test]
fn a_mark_and_its_end_delete_the_lease() {
    holds("the mark leaves the lease", &[MARK_LEAVES_LEASE], NOTHING);
    holds("its end leaves the lease", &[FINISH_LEAVES_LEASE], NOTHING);
    breaks("both", &[MARK_LEAVES_LEASE, FINISH_LEAVES_LEASE], NOTHING);
}

#[test]
fn each_script_looks_at_the_epoch() {
    let flush = of(&[(Fault::Flush, 1)]);
    for edit in no_script_looks() {
        holds(edit.0.split(' ').next().unwrap_or_default(), &[edit], flush);
    }
}

/// The epoch of a write is checked in its transaction, and by the script that marks.
#[test]
fn a_write_looks_at_the_epoch_twice() {
    let in_the_row = ("rp_write SELECT ? WHERE \" .. unchanged", "rp_write SELECT ? WHERE ? > ''\"");
    holds("not in the database", &[in_the_row], of(&[(Fault::Flush, 1)]));
}
