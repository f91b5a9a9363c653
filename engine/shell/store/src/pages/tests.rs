//! What a file of pages gives back after it was damaged, cut off, or closed.

use ::redb::backends::InMemoryBackend;

use super::*;

const COUNT: u64 = 3 * GROUP + 7;

fn written() -> Pages {
    let pages = Pages::create(Box::new(InMemoryBackend::new())).unwrap();
    pages.set_len(COUNT * PAGE_BYTES).unwrap();
    pages.write(0, &[9; 320]).unwrap();
    for page in 1..COUNT {
        let bytes = vec![page.to_le_bytes()[0]; PAGE];
        pages.write(page * PAGE_BYTES, &bytes).unwrap();
    }
    pages.sync_data().unwrap();
    pages
}

/// The same file, read anew.
fn opened(pages: Pages) -> Pages {
    Pages::open(pages.file).unwrap()
}

fn page(pages: &Pages, page: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count * PAGE];
    pages.read(page * PAGE_BYTES, &mut bytes).unwrap();
    bytes
}

fn leads_nowhere(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count * PAGE];
    lead_nowhere(&mut bytes);
    bytes
}

#[test]
fn what_was_written_is_read_at_any_length() {
    let pages = opened(written());
    for count in (0..3 * GROUP + 5).chain([COUNT]) {
        pages.set_len(count * PAGE_BYTES).unwrap();
        assert_eq!(pages.len().unwrap(), count * PAGE_BYTES);
    }
    let pages = opened(written());
    let mut first = [0; 9];
    pages.read(0, &mut first).unwrap();
    assert_eq!(first, [9; 9]);
    // A run over the end of a group, too.
    for start in [1, GROUP - 1, GROUP, GROUP + 1, COUNT - 3] {
        let bytes = page(&pages, start, 3);
        let expected = (start..start + 3).flat_map(|n| vec![n.to_le_bytes()[0]; PAGE]);
        assert_eq!(bytes, expected.collect::<Vec<_>>(), "page {start}");
    }
}

#[test]
fn a_changed_swapped_or_older_page_leads_nowhere_and_spares_the_others() {
    let pages = written();
    let (one, two) = (page(&pages, 5, 1), page(&pages, 600, 1));
    let older = page(&pages, 7, 1);
    pages.write(7 * PAGE_BYTES, &[1; PAGE]).unwrap();
    pages.sync_data().unwrap();
    let put = |number: u64, bytes: &[u8]| {
        pages.file.write(place(number) * PAGE_BYTES, bytes).unwrap();
    };
    put(5, &two);
    put(600, &one);
    put(7, &older);
    pages.file.write(place(9) * PAGE_BYTES + 77, &[0]).unwrap();
    let pages = opened(pages);
    for damaged in [5, 600, 7, 9] {
        assert_eq!(page(&pages, damaged, 1), leads_nowhere(1), "page {damaged}");
    }
    assert_eq!(page(&pages, 8, 2), leads_nowhere(2));
    assert_eq!(page(&pages, 6, 1), vec![6; PAGE]);
    assert_eq!(page(&pages, 601, 1), vec![601_u64.to_le_bytes()[0]; PAGE]);
}

#[test]
fn the_first_page_is_refused_when_a_bit_of_it_is_flipped() {
    let pages = written();
    for bit in (0..SECTOR * 8).step_by(37) {
        let (at, mask) = (PAGE_BYTES + bit as u64 / 8, 1 << (bit % 8));
        let mut byte = [0];
        pages.file.read(at, &mut byte).unwrap();
        pages.file.write(at, &[byte[0] ^ mask]).unwrap();
        let error = pages.read(0, &mut [0; 320]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "bit {bit}");
        pages.file.write(at, &byte).unwrap();
    }
    pages.read(0, &mut [0; 320]).unwrap();
}

#[test]
fn an_older_first_page_is_refused_in_a_file_that_was_closed() {
    let pages = written();
    let older = pages.first_sector().unwrap();
    // Since the pages came with it, the first one says nothing of them.
    assert_eq!(older[ALL_SUMS..FIRST_SUM], [0; SUM_BYTES]);
    pages.write(0, &[8; 320]).unwrap();
    pages.sync_data().unwrap();
    let closed = pages.first_sector().unwrap();
    assert_ne!(closed[ALL_SUMS..FIRST_SUM], [0; SUM_BYTES]);
    let pages = opened(pages);
    pages.write(0, &[8 | OPEN_BIT; 320]).unwrap();
    pages.write(3 * PAGE_BYTES, &[1; PAGE]).unwrap();
    pages.sync_data().unwrap();
    let pages = opened(pages);
    pages.write(0, &[8; 320]).unwrap();
    pages.sync_data().unwrap();
    let pages = opened(pages);
    pages.file.write(PAGE_BYTES, &closed).unwrap();
    let error = Pages::open(pages.file).unwrap_err();
    assert_eq!(error.to_string(), "a part of it is older than the rest");
}

#[test]
fn a_file_that_was_cut_off_is_refused_or_leads_nowhere() {
    let whole = written().file.len().unwrap();
    for length in [0, 1, PAGE_BYTES, 3 * PAGE_BYTES, whole - 1] {
        let file = written().file;
        file.set_len(length).unwrap();
        let error = Pages::open(file).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{length}");
    }
    let file = written().file;
    file.set_len(whole - PAGE_BYTES).unwrap();
    let pages = Pages::open(file).unwrap();
    assert_eq!(page(&pages, COUNT - 1, 1), leads_nowhere(1));
}

#[test]
fn a_file_without_checksums_is_read_as_it_is() {
    let file = InMemoryBackend::new();
    file.set_len(2 * PAGE_BYTES).unwrap();
    file.write(0, PLAIN).unwrap();
    file.write(PAGE_BYTES, &[3; PAGE]).unwrap();
    let pages = Pages::open(Box::new(file)).unwrap();
    assert_eq!(page(&pages, 1, 1), vec![3; PAGE]);
    assert_eq!(pages.len().unwrap(), 2 * PAGE_BYTES);
}
