//! The quicksort with which Redis puts the first so many elements in order and leaves the others.
//!
//! Bentley and McIlroy, "Engineering a sort function" (1993), cut short: parts without a place that is wanted are left as
//! they are. It is not stable, so elements that compare equal end up where Redis's do only if every exchange is the same.

use std::cmp::Ordering;

/// Shorter parts are sorted by insertion.
const FEW: usize = 7;
/// In longer parts the pivot is the median of three medians.
const MANY: usize = 40;

/// Sorts so far that the first `wanted` elements are those of the sorted list, in order.
pub(crate) fn sort_first<T>(list: &mut [T], wanted: usize, compare: impl Fn(&T, &T) -> Ordering) {
    if let Some(last) = wanted.checked_sub(1) {
        sort_part(list, 0, last, &compare);
    }
}

fn sort_part<T>(list: &mut [T], mut start: usize, last: usize, compare: &impl Fn(&T, &T) -> Ordering) {
    let mut end = list.len();
    loop {
        let len = end - start;
        if len < FEW {
            for at in start + 1..end {
                let mut at = at;
                while at > start && compare(&list[at - 1], &list[at]).is_gt() {
                    list.swap(at - 1, at);
                    at -= 1;
                }
            }
            return;
        }
        let pivot = pivot(list, start, len, compare);
        list.swap(start, pivot);
        let (less, greater) = partition(list, start, end, compare);
        if less > 1 {
            // Places before the part are wanted as well, so it counts unless it is past the last one.
            let part = &mut list[..start + less];
            if start <= last {
                sort_part(part, start, last, compare);
            }
        }
        if greater <= 1 || end - greater > last {
            return;
        }
        start = end - greater;
        end = start + greater;
    }
}

fn pivot<T>(list: &[T], start: usize, len: usize, compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let median = |a: usize, b: usize, c: usize| median(list, a, b, c, compare);
    let middle = start + len / 2;
    if len == FEW {
        return middle;
    }
    let (low, high) = (start, start + len - 1);
    if len <= MANY {
        return median(low, middle, high);
    }
    let step = len / 8;
    median(
        median(low, low + step, low + 2 * step),
        median(middle - step, middle, middle + step),
        median(high - 2 * step, high - step, high),
    )
}

fn median<T>(list: &[T], a: usize, b: usize, c: usize, compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let order = |one: usize, other: usize| compare(&list[one], &list[other]);
    let a_first = order(a, c).is_lt();
    match order(a, b) {
        Ordering::Less if order(b, c).is_lt() => b,
        Ordering::Less => {
            if a_first {
                c
            } else {
                a
            }
        }
        _ if order(b, c).is_gt() => b,
        _ => {
            if a_first {
                a
            } else {
                c
            }
        }
    }
}

/// Divides a part whose first element is the pivot: what is less comes first, then what is equal, then what is greater.
/// Gives how many are less and greater.
fn partition<T>(list: &mut [T], start: usize, end: usize, compare: &impl Fn(&T, &T) -> Ordering) -> (usize, usize) {
    // Equal ones are gathered at both ends: below `low_equal` and from `high_equal` on.
    let (mut low_equal, mut low) = (start + 1, start + 1);
    let (mut high, mut high_equal) = (end, end);
    loop {
        while low < high {
            match compare(&list[low], &list[start]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    list.swap(low_equal, low);
                    low_equal += 1;
                }
                Ordering::Less => {}
            }
            low += 1;
        }
        while low < high {
            match compare(&list[high - 1], &list[start]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    high_equal -= 1;
                    list.swap(high - 1, high_equal);
                }
                Ordering::Greater => {}
            }
            high -= 1;
        }
        if low >= high {
            break;
        }
        list.swap(low, high - 1);
        low += 1;
        high -= 1;
    }
    let (less, greater) = (low - low_equal, high_equal - low);
    exchange(list, start, low, (low_equal - start).min(less));
    exchange(list, low, end, greater.min(end - high_equal));
    (less, greater)
}

/// Exchanges so many elements at the start of a part with as many at its end.
fn exchange<T>(list: &mut [T], start: usize, end: usize, count: usize) {
    for index in 0..count {
        list.swap(start + index, end - count + index);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sort_first;

    proptest! {
        #[test]
        fn the_first_ones_are_those_of_the_sorted_list(mut list in prop::collection::vec(0_u8..50, 0..200), wanted in 0_usize..200) {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            let wanted = wanted.min(list.len());
            sort_first(&mut list, wanted, u8::cmp);
            prop_assert_eq!(&list[..wanted], &sorted[..wanted]);
            list.sort_unstable();
            prop_assert_eq!(list, sorted);
        }
    }
}
