//! A recording goes when that has been accounted for, and then whole.

use super::*;

fn order() -> RemovalOrder {
    RemovalOrder {
        by: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
        reason: "a mistake".to_owned(),
        at: at(9000),
    }
}

/// A directory with the complete recording `one`.
fn complete() -> (TempDir, RecordingDirectory) {
    let (temp, directory, mut recorder) = begun();
    batches().iter().for_each(|batch| recorder.append(batch).unwrap());
    recorder.finish(&ended(2000)).unwrap();
    (temp, directory)
}

fn names(directory: &RecordingDirectory) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_recording_is_removed_in_two_steps() {
    let (_temp, directory) = complete();
    let kept = summary(&directory);
    let removal = directory.begin_removal(&one(), order()).unwrap();
    assert_eq!(names(&directory), ["one.cast", "one.json", "one.removal"], "nothing goes yet");
    assert_eq!((removal.order(), removal.recording()), (&order(), &kept));
    assert_eq!(Some(&removal.recorded().sha256), kept.sha256.as_ref());
    assert_eq!(Some(removal.recorded().bytes), kept.bytes);
    removal.complete().unwrap();
    assert!(names(&directory).is_empty());
    assert!(matches!(directory.begin_removal(&one(), order()), Err(RemoveError::Unknown { .. })));
}

#[test]
fn a_removal_that_is_cancelled_changes_nothing() {
    let (_temp, directory) = complete();
    directory.begin_removal(&one(), order()).unwrap().cancel().unwrap();
    assert_eq!(names(&directory), ["one.cast", "one.json"]);
    assert!(directory.unfinished_removals().unwrap().is_empty());
}

#[test]
fn an_order_that_took_the_place_of_another_is_not_cancelled() {
    let (_temp, directory) = complete();
    assert!(!directory.is_going(&one()).unwrap());
    drop(directory.begin_removal(&one(), order()).unwrap());
    assert!(directory.is_going(&one()).unwrap());
    let fresh = RemovalOrder { reason: "another".to_owned(), ..order() };
    directory.begin_removal(&one(), fresh.clone()).unwrap().cancel().unwrap();
    let [Ok(kept)] = &directory.unfinished_removals().unwrap()[..] else { panic!("it is forgotten") };
    assert_eq!(kept.order(), &fresh);
}

#[test]
fn a_recording_that_is_written_is_not_removed() {
    let (_temp, directory, mut recorder) = begun();
    recorder.append(&[output(0, b"abc", 1)]).unwrap();
    let before = names(&directory);
    assert!(matches!(directory.begin_removal(&one(), order()), Err(RemoveError::Running { .. })));
    drop(recorder);
    assert!(matches!(directory.begin_removal(&one(), order()), Err(RemoveError::Running { .. })));
    assert_eq!(names(&directory), before);
}

#[test]
fn what_goes_is_what_is_there() {
    let (_temp, directory) = complete();
    fs::write(file(&directory, "one.cast"), "changed").unwrap();
    let removal = directory.begin_removal(&one(), order()).unwrap();
    assert_eq!(removal.recorded(), &Recorded { bytes: 7, sha256: digest_of(b"changed") });
}

#[test]
fn a_removal_is_finished_after_a_crash_at_any_step() {
    for gone in [&[][..], &["one.json"], &["one.json", "one.cast"]] {
        let (_temp, directory) = complete();
        let begun = directory.begin_removal(&one(), order()).unwrap();
        for name in gone {
            fs::remove_file(file(&directory, name)).unwrap();
        }
        let recorded = begun.recorded().clone();
        drop(begun);
        assert!(directory.unfinished().unwrap().is_empty());
        let mut found = directory.unfinished_removals().unwrap();
        let removal = found.pop().unwrap().unwrap();
        assert!(found.is_empty());
        assert_eq!((removal.order(), removal.recorded()), (&order(), &recorded), "{gone:?}");
        assert_eq!(removal.recording().info, info("one"));
        removal.complete().unwrap();
        assert!(names(&directory).is_empty(), "{gone:?}");
        assert!(directory.unfinished_removals().unwrap().is_empty());
    }
}

#[test]
fn an_order_that_cannot_be_read_hides_no_other() {
    let (_temp, directory) = complete();
    let _begun = directory.begin_removal(&one(), order()).unwrap();
    fs::write(file(&directory, "another.removal"), "{\"or").unwrap();
    let found = directory.unfinished_removals().unwrap();
    let [Err(unreadable), Ok(removal)] = found.as_slice() else { panic!("{found:?}") };
    assert!(unreadable.to_string().contains("another.removal"), "{unreadable}");
    assert_eq!(removal.order(), &order());
}

#[test]
fn a_crash_while_the_order_was_written_leaves_the_recording() {
    let (_temp, directory) = complete();
    fs::write(file(&directory, "one.removal.new"), "{\"or").unwrap();
    assert!(directory.unfinished_removals().unwrap().is_empty());
    assert_eq!(shown(&directory), "$ €\r\na😀 \u{fffd}");
    directory.begin_removal(&one(), order()).unwrap().complete().unwrap();
    assert!(names(&directory).is_empty());
}

#[test]
fn a_recording_is_read_in_parts() {
    let (_temp, directory) = complete();
    let recording = directory.recording(&one()).unwrap().unwrap();
    let whole = fs::read(file(&directory, "one.cast")).unwrap();
    let length = u64::try_from(whole.len()).unwrap();
    let mut read = Vec::new();
    loop {
        let from = u64::try_from(read.len()).unwrap();
        let Part { bytes, readable } = recording.part(from, 7).unwrap();
        assert_eq!(readable, length);
        if bytes.is_empty() {
            break;
        }
        read.extend(bytes);
    }
    assert_eq!(read, whole);
    for from in [length, length + 1, u64::MAX] {
        assert_eq!(recording.part(from, 7).unwrap().bytes, b"");
    }
}

#[test]
fn lines_are_read_whole_however_long_they_are() {
    let (_temp, directory) = complete();
    let whole = fs::read(file(&directory, "one.cast")).unwrap();
    let length = u64::try_from(whole.len()).unwrap();
    let first = u64::try_from(whole.iter().position(|byte| *byte == b'\n').unwrap() + 1).unwrap();
    for bytes_max in 1..=length + 1 {
        let mut lines = directory.recording(&one()).unwrap().unwrap().lines().unwrap();
        assert_eq!(lines.next(0, bytes_max).unwrap(), b"");
        assert_eq!(u64::try_from(lines.next(first, bytes_max).unwrap().len()).unwrap(), first);
        let mut read = whole[..usize::try_from(first).unwrap()].to_vec();
        while lines.at() < length {
            let next = lines.next(length, bytes_max).unwrap();
            assert!(next.ends_with(b"\n"), "{bytes_max}");
            let is_one_line = next.iter().filter(|byte| **byte == b'\n').count() == 1;
            assert!(is_one_line || u64::try_from(next.len()).unwrap() <= bytes_max);
            read.extend(next);
        }
        assert_eq!(read, whole, "{bytes_max}");
        assert!(lines.next(length + 1, bytes_max).is_err(), "the file is shorter");
    }
}

#[test]
fn of_a_recording_that_is_written_only_what_is_on_record_is_read() {
    let (_temp, directory, mut recorder) = begun();
    let part = || directory.recording(&one()).unwrap().unwrap().part(0, u64::MAX).unwrap();
    assert_eq!(part(), Part { bytes: Vec::new(), readable: 0 });
    for batch in batches() {
        recorder.append(&batch).unwrap();
        let recorded = fs::read(file(&directory, "one.cast")).unwrap();
        assert_eq!(part().bytes, recorded);
        assert!(recorded.is_empty() || recorded.ends_with(b"\n"));
        // What is half written, and may yet be taken back.
        let mut cast = fs::OpenOptions::new().append(true).open(file(&directory, "one.cast")).unwrap();
        io::Write::write_all(&mut cast, b"[0.1,\"o\",\"half").unwrap();
        assert_eq!(part().bytes, recorded);
        cast.set_len(u64::try_from(recorded.len()).unwrap()).unwrap();
    }
    // It is completed between two looks at it.
    let running = directory.recording(&one()).unwrap().unwrap();
    recorder.finish(&ended(2000)).unwrap();
    assert_eq!(running.part(0, u64::MAX).unwrap().bytes, fs::read(file(&directory, "one.cast")).unwrap());
}
