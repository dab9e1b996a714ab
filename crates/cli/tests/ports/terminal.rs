//! Open ports as JSON Lines on a terminal that also shows the progress bar. Needs `python3`, which has pseudo-terminals.

use std::process::Command;

/// Runs the program on a terminal and says of how many lines of results what stands before them is not wiped away.
const ON_A_TERMINAL: &str = r#"
import os, pty, re, socket, sys
listeners = []
while len(listeners) < 20:
    try:
        listeners.append(socket.create_server(("127.86.13.1", 2000 + 20 * len(listeners))))
    except OSError as error:
        sys.exit(str(error))
out = b""
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], [sys.argv[1], "ports", "127.86.13.1", "-p", "2000-2399", "--rate", "400",
                           "--engine", "connect", "--no-discovery", "-o", "jsonl", "--open"])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    out += data
os.waitpid(child, 0)
lines = [line for line in out.split(b"\n") if b'{"address"' in line]
def left_standing(line):
    before = re.split(rb"\x1b\[2K|\r", line[:line.index(b'{"address"')])[-1]
    return re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", before).strip()
print(len(lines), sum(1 for line in lines if left_standing(line)), b"ports " in out)
"#;

#[test]
fn results_on_a_terminal_are_not_written_into_the_bar() {
    let done = Command::new("python3")
        .args(["-c", ON_A_TERMINAL, env!("CARGO_BIN_EXE_bartizan")])
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    let words: Vec<&str> = text.split_whitespace().collect();
    let lines: usize = words.first().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{done:?}"));
    assert!(lines >= 20, "{text}");
    assert_eq!(words[1..], ["0", "True"], "lines that stand in the bar, and whether there was one");
}
