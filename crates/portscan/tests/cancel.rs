//! Cancelled runs leave no descriptor, thread or memory behind. Alone in its process, because it counts them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_portscan::{Control, Job, Report, scan};

mod support;

use support::Lab;

#[test]
fn cancelled_runs_leave_nothing_behind() {
    let Some(lab) = Lab::new() else { return };
    let mut job = Job::new(["10.98.0.1", "127.86.17.9"].map(|a| a.parse().unwrap()).to_vec(), (1..=u16::MAX).collect());
    job.settings.report = Report::Open;
    let usage = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (std::fs::read_dir("/proc/self/fd").unwrap().count(), field("Threads:"), field("VmRSS:"))
    };
    lab.at_near(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cancelled = |number: u32| {
            runtime.block_on(async {
                let mut running = scan(job.clone(), &Control::new()).unwrap();
                // At different moments: before the first event, and after some.
                for _ in 0..number % 4 {
                    running.next().await;
                }
                running.cancel();
                assert!(running.outcome().await.unwrap().cancelled);
            });
        };
        // The kernel takes a while to close a packet socket, so a thousand of them are for the long tests.
        let many = if std::env::var_os("BARTIZAN_TEST_LONG").is_some() { 1000 } else { 100 };
        (0..20).for_each(cancelled);
        let (files, threads, memory) = usage();
        (0..many).for_each(cancelled);
        let (files_after, threads_after, memory_after) = usage();
        assert_eq!((files, threads), (files_after, threads_after));
        assert!(memory_after < memory + 8192, "from {memory} to {memory_after} KiB");
    });
}
