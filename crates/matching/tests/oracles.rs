//! The dialects against the programs that define them, on random and hand-picked versions.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed unwrap is a failed test; a skipped oracle says so"
)]

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};

use bartizan_matching::Dialect;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Pairs of random texts of `pattern` that are versions of `dialect`; the same on every run.
fn pairs(dialect: Dialect, pattern: &'static str, count: usize) -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let mut pairs = Vec::with_capacity(count);
    while pairs.len() < count {
        let strategy = (pattern, pattern);
        let (a, b) = strategy.new_tree(&mut runner).unwrap().current();
        if dialect.key(&a).is_ok() && dialect.key(&b).is_ok() {
            pairs.push((a, b));
        }
    }
    pairs
}

/// Feeds the pairs to a program, one tab-separated pair a line; it answers `-1`, `0` or `1` a line.
fn ask(program: &str, arguments: &[&str], pairs: &[(String, String)]) -> Vec<Ordering> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program} failed");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim().parse::<i32>().unwrap().cmp(&0)).collect()
}

fn assert_agrees(dialect: Dialect, pairs: &[(String, String)], answers: &[Ordering]) {
    assert_eq!(pairs.len(), answers.len());
    let differences: Vec<String> = pairs
        .iter()
        .zip(answers)
        .filter_map(|((a, b), expected)| {
            let ours = dialect.compare(a, b).unwrap();
            (ours != *expected).then(|| format!("{a} {b}: ours {ours:?}, theirs {expected:?}"))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {} differ: {:#?}",
        differences.len(),
        pairs.len(),
        &differences[..differences.len().min(20)]
    );
}

#[test]
fn dpkg_agrees() {
    let pairs = pairs(Dialect::Dpkg, "([0-2]:)?[0-9][0-9a-b.+~]{0,5}(-[0-9a-b.+~]{1,3})?", 2000);
    let answers: Vec<Ordering> = pairs
        .iter()
        .map(|(a, b)| {
            let holds = |relation: &str| {
                Command::new("dpkg").args(["--compare-versions", a, relation, b]).status().unwrap().success()
            };
            if holds("lt") {
                Ordering::Less
            } else if holds("gt") {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        })
        .collect();
    assert_agrees(Dialect::Dpkg, &pairs, &answers);
}

#[test]
fn python_packaging_agrees() {
    let script = "import sys\nfrom packaging.version import Version as V\nfor l in sys.stdin:\n a,b=map(V,l.rstrip('\\n').split('\\t'))\n print((a>b)-(a<b))";
    let pairs = pairs(
        Dialect::Pep440,
        "([01]!)?[0-2](\\.[0-2]){0,3}((a|b|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[a-b0-2](\\.[a-b0-2])?)?",
        5000,
    );
    let answers = ask("python3", &["-c", script], &pairs);
    assert_agrees(Dialect::Pep440, &pairs, &answers);
}
