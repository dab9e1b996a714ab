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
use bartizan_matching::range::Requirement;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Pairs of random texts of `pattern` that are versions of `dialect`; the same on every run.
fn pairs(dialect: Dialect, pattern: &'static str, count: usize) -> Vec<(String, String)> {
    pairs_where(dialect, pattern, count, |_| true)
}

/// The same with versions for which `usual` holds.
fn pairs_where(
    dialect: Dialect,
    pattern: &'static str,
    count: usize,
    usual: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let mut pairs = Vec::with_capacity(count);
    while pairs.len() < count {
        let strategy = (pattern, pattern);
        let (a, b) = strategy.new_tree(&mut runner).unwrap().current();
        if dialect.key(&a).is_ok() && dialect.key(&b).is_ok() && usual(&a) && usual(&b) {
            // Every fourth pair shares most of its text, so that the last parts are compared as well.
            let b =
                if pairs.len() % 4 == 0 { near(dialect, &a, &b).filter(|mixed| usual(mixed)).unwrap_or(b) } else { b };
            pairs.push((a, b));
        }
    }
    pairs
}

/// The beginning of one version with the end of another, where that is a version.
fn near(dialect: Dialect, a: &str, b: &str) -> Option<String> {
    let head = &a[..a.len() / 2 + a.len() % 2];
    let mixed = format!("{head}{}", &b[b.len() / 2..]);
    dialect.key(&mixed).ok().map(|_| mixed)
}

/// Feeds the pairs to a program, one tab-separated pair a line; it answers `-1`, `0` or `1` a line.
fn ask(program: &str, arguments: &[&str], pairs: &[(String, String)]) -> Vec<Ordering> {
    ask_numbers(program, arguments, pairs).into_iter().map(|number| number.cmp(&0)).collect()
}

/// The same, as the numbers it prints.
fn ask_numbers(program: &str, arguments: &[&str], pairs: &[(String, String)]) -> Vec<i32> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program} failed");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim().parse().unwrap()).collect()
}

/// The same for programs that refuse some texts we read, with `9`: without those pairs, of which at least half are left.
fn ask_readable(
    program: &str,
    arguments: &[&str],
    pairs: Vec<(String, String)>,
) -> (Vec<(String, String)>, Vec<Ordering>) {
    let asked = pairs.len();
    let answers = ask_numbers(program, arguments, &pairs);
    let (pairs, answers): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .zip(answers)
        .filter(|(_, answer)| *answer != 9)
        .map(|(pair, answer)| (pair, answer.cmp(&0)))
        .unzip();
    assert!(pairs.len() * 2 > asked, "{program} reads only {} of {asked}", pairs.len());
    (pairs, answers)
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

/// Answers one pair at a time, in four threads: for programs that compare only one pair a call.
fn ask_each(pairs: &[(String, String)], answer: impl Fn(&str, &str) -> Ordering + Sync) -> Vec<Ordering> {
    let answer = &answer;
    let chunk = pairs.len().div_ceil(4).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = pairs
            .chunks(chunk)
            .map(|part| scope.spawn(move || part.iter().map(|(a, b)| answer(a, b)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// How many pairs a slow oracle is asked; `BARTIZAN_ORACLE_PAIRS` raises it.
fn many(default: usize) -> usize {
    std::env::var("BARTIZAN_ORACLE_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn dpkg_agrees() {
    let pairs = pairs(Dialect::Dpkg, "([0-2]:)?[0-9][0-9a-b.+~]{0,5}(-[0-9a-b.+~]{1,3})?", many(3000));
    let answers = ask_each(&pairs, |a, b| {
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
    });
    assert_agrees(Dialect::Dpkg, &pairs, &answers);
}

#[test]
fn rpm_agrees() {
    let pairs = pairs(Dialect::Rpm, "([0-2]:)?[0-9][0-9a-bZ.+~^_]{0,6}(-[0-9a-b.~^]{1,4})?", 10_000);
    let mut input = tempfile::NamedTempFile::new().unwrap();
    for (a, b) in &pairs {
        writeln!(input, "{a}\t{b}").unwrap();
    }
    let script = format!(
        "%{{lua:for l in io.lines('{}') do local a,b=string.match(l,'^(.-)\\t(.*)$') print(rpm.vercmp(a,b)..'\\n') end}}",
        input.path().display()
    );
    let output = Command::new("rpm").args(["--eval", &script]).output().expect("Debian's `rpm` is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Ordering> = String::from_utf8(output.stdout)
        .unwrap()
        .split_whitespace()
        .map(|number| number.parse::<i32>().unwrap().cmp(&0))
        .collect();
    assert_agrees(Dialect::Rpm, &pairs, &answers);
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

#[test]
fn conan_agrees() {
    let script = "import sys\nfrom conan.tools.scm import Version as V\nfor l in sys.stdin:\n a,b=map(V,l.rstrip('\\n').split('\\t'))\n print((a>b)-(a<b))";
    // One digit in front of letters, where Conan's comparison is an order.
    let mut pairs = pairs(
        Dialect::Conan,
        "[0-9][a-c]?(\\.[0-9][a-c]?){0,3}(-(alpha|beta|[0-9])(\\.[0-9]){0,2})?(\\+[a-c0-9](\\.[0-9])?)?",
        5000,
    );
    // Nor are negative numbers versions.
    let is_negative = |version: &str| version.contains("--") || version.contains(".-") || version.contains("+-");
    let is_plain = |version: &str| {
        !is_negative(version) && !version.as_bytes().windows(2).any(|two| two.iter().all(u8::is_ascii_digit))
    };
    pairs.retain(|(a, b)| is_plain(a) && is_plain(b));
    assert!(pairs.len() > 3000, "{}", pairs.len());
    let answers = ask("python3", &["-c", script], &pairs);
    assert_agrees(Dialect::Conan, &pairs, &answers);
}

/// The `semver` package that comes with npm.
const NODE: &str = "const {execSync}=require('child_process');const root=execSync('npm root -g').toString().trim();\
const semver=require(root+'/npm/node_modules/semver');\
const lines=require('fs').readFileSync(0,'utf8').split('\\n').filter(x=>x).map(x=>x.split('\\t'));";

#[test]
fn node_semver_agrees() {
    let script =
        format!("{NODE}for(const [a,b] of lines)console.log(semver.valid(a)&&semver.valid(b)?semver.compare(a,b):9)");
    let pattern = "v?[0-2]\\.[0-2]\\.[0-2](-[a0-2](\\.[ab01-]{1,2}){0,2})?(\\+[a0])?";
    let pairs = pairs(Dialect::Npm, pattern, 10_000);
    let (pairs, answers) = ask_readable("node", &["-e", &script], pairs);
    assert_agrees(Dialect::Npm, &pairs, &answers);
}

#[test]
fn gem_agrees() {
    let script = "STDIN.each_line{|l|x=begin;a,b=l.chomp.split(\"\\t\").map{|v|Gem::Version.new(v)};a<=>b;rescue ArgumentError;9;end;puts x}";
    let pattern = "[0-2](\\.([0-2]|a|b|rc|0)[a-b]?[0-1]?){0,4}(-[a-b0-1])?";
    let pairs = pairs(Dialect::Gem, pattern, 10_000);
    let (pairs, answers) = ask_readable("ruby", &["-rrubygems", "-e", script], pairs);
    assert_agrees(Dialect::Gem, &pairs, &answers);
}

#[test]
fn maven_agrees() {
    let pattern = "[0-2](\\.[0-2]){0,3}([.-]?(a|alpha|beta|b|rc|cr|sp|snapshot|x|m|ga|final)|[.-]?(a|alpha|b|beta|rc|cr|sp|m|x)[1-2]|-(alpha|beta|rc|sp|x)-[1-2])?(-[1-2])?";
    // Null tokens in the middle and dotted qualifiers with more behind them are not supported.
    let text = "(a|alpha|beta|b|rc|cr|sp|snapshot|x|m|ga|final)";
    let usual =
        regex::Regex::new(&format!("^[0-2]([.][0-2])*(-[12]+|[.]{text}[12]*|-?{text}(-?[12]+)?(-[12]+)?)?$")).unwrap();
    let null = regex::Regex::new("(ga|final)[-.]?[0-9]").unwrap();
    let pairs = pairs_where(Dialect::Maven, pattern, 4000, |text| usual.is_match(text) && !null.is_match(text));
    let mut answers = Vec::with_capacity(pairs.len());
    for part in pairs.chunks(1000) {
        let versions = part.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]);
        let output = Command::new("java")
            .args(["-cp", "/usr/share/java/maven-artifact-3.x.jar:/usr/share/java/commons-lang3.jar"])
            .arg("org.apache.maven.artifact.versioning.ComparableVersion")
            .args(versions)
            .output()
            .expect("a Java runtime and libmaven3-core-java are installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Each line compares a version with the next one: every second is a pair.
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| line.starts_with("   ")).step_by(2);
        answers.extend(lines.map(|line| match line.split_whitespace().nth(1).unwrap() {
            "<" => Ordering::Less,
            ">" => Ordering::Greater,
            _ => Ordering::Equal,
        }));
    }
    assert_agrees(Dialect::Maven, &pairs, &answers);
}

/// Debian's composer/semver.
const PHP: &str = "require '/usr/share/php/Composer/Semver/autoload.php';$lines=array_map(fn($l)=>explode(\"\\t\",$l),array_filter(explode(\"\\n\",stream_get_contents(STDIN))));";

#[test]
fn composer_agrees() {
    let script = format!(
        "{PHP}$p=new Composer\\Semver\\VersionParser;foreach($lines as [$a,$b]){{try{{$a=$p->normalize($a);$b=$p->normalize($b);}}catch(\\Throwable $e){{echo \"9\\n\";continue;}}echo Composer\\Semver\\Comparator::lessThan($a,$b)?-1:(Composer\\Semver\\Comparator::greaterThan($a,$b)?1:0),\"\\n\";}}"
    );
    let pattern = "v?[0-2](\\.[0-2]){0,3}(-?(alpha|beta|RC|patch|dev|a|b|p)\\.?[0-2]?)?";
    let pairs = pairs(Dialect::Composer, pattern, 6000);
    let (pairs, answers) = ask_readable("php", &["-r", &script], pairs);
    assert_agrees(Dialect::Composer, &pairs, &answers);
}

#[test]
fn pacman_agrees() {
    // One colon, one hyphen, no separator at an end, as package names have it; releases on both sides or none.
    let usual = regex::Regex::new("^([01]:)?[0-9ab]+([.]+[0-9ab]+)*-[0-2]+$").unwrap();
    let pattern = "([0-1]:)?[0-2][0-2a-b.]{0,5}-[0-2]";
    let pairs = pairs_where(Dialect::Pacman, pattern, many(2000), |text| usual.is_match(text));
    let answers = ask_each(&pairs, |a, b| {
        let output = Command::new("vercmp").args([a, b]).output().expect("Debian's `makepkg` is installed");
        String::from_utf8(output.stdout).unwrap().trim().parse::<i32>().unwrap().cmp(&0)
    });
    assert_agrees(Dialect::Pacman, &pairs, &answers);
}

/// Pairs of a requirement and a version, both readable here.
fn requirements(
    dialect: Dialect,
    requirement: &'static str,
    version: &'static str,
    count: usize,
) -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let mut pairs = Vec::with_capacity(count);
    while pairs.len() < count {
        let (text, version) = (requirement, version).new_tree(&mut runner).unwrap().current();
        if Requirement::parse(dialect, &text).is_ok() && dialect.key(&version).is_ok() {
            pairs.push((text, version));
        }
    }
    pairs
}

/// Compares with answers of `0` (outside) and `1` (inside); anything else is a refusal of theirs and left out.
fn assert_requirements_agree(dialect: Dialect, pairs: &[(String, String)], answers: &[Ordering]) {
    assert_eq!(pairs.len(), answers.len());
    let asked = answers.iter().filter(|answer| **answer != Ordering::Less).count();
    assert!(asked * 2 > pairs.len(), "they read only {asked} of {}", pairs.len());
    let differences: Vec<String> = pairs
        .iter()
        .zip(answers)
        .filter(|(_, answer)| **answer != Ordering::Less)
        .filter_map(|((text, version), answer)| {
            let ours = Requirement::parse(dialect, text).unwrap().contains(&dialect.key(version).unwrap());
            (ours != (*answer == Ordering::Greater)).then(|| format!("`{text}` {version}: ours {ours}"))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {asked} differ: {:#?}",
        differences.len(),
        &differences[..differences.len().min(20)]
    );
}

#[test]
fn node_ranges_agree() {
    let script = format!(
        "{NODE}for(const [r,v] of lines)console.log(semver.validRange(r)===null?-1:semver.satisfies(v,r,{{includePrerelease:true}})?1:0)"
    );
    let one = "((>=|<=|>|<|=|~|\\^)? ?[0-2](\\.([0-2]|x)(\\.([0-2]|x)(-[a0]\\.[01])?)?)?|[0-2]\\.[0-2] - [0-2](\\.[0-2](\\.[0-2])?)?)";
    let pattern: &'static str = Box::leak(format!("{one}( {one})?( ?\\|\\| ?{one})?").into_boxed_str());
    let pairs = requirements(Dialect::Npm, pattern, "[0-3]\\.[0-3]\\.[0-3](-[a0]\\.[01])?", 8000);
    let answers = ask("node", &["-e", &script], &pairs);
    assert_requirements_agree(Dialect::Npm, &pairs, &answers);
}

#[test]
fn gem_requirements_agree() {
    let script = "STDIN.each_line{|l|r,v=l.chomp.split(\"\\t\");puts((Gem::Requirement.new(*r.split(',').map(&:strip)).satisfied_by?(Gem::Version.new(v))?1:0) rescue puts(-1))}";
    let script =
        script.replace("puts((Gem", "x=begin;(Gem").replace("?1:0) rescue puts(-1))}", "?1:0);rescue;-1;end;puts x}");
    let pairs = requirements(
        Dialect::Gem,
        "(~>|>=|<=|>|<|=|!=) ?[0-2](\\.[0-2]){0,3}(\\.rc1)?(, (~>|>=|<|!=) [0-2](\\.[0-2]){0,2})?",
        "[0-3](\\.[0-3]){0,3}(\\.(a|rc1|rc2))?",
        6000,
    );
    let answers = ask("ruby", &["-rrubygems", "-e", &script], &pairs);
    assert_requirements_agree(Dialect::Gem, &pairs, &answers);
}

#[test]
fn python_specifiers_agree() {
    let script = "import sys\nfrom packaging.specifiers import SpecifierSet as S\nfor l in sys.stdin:\n r,v=l.rstrip('\\n').split('\\t')\n try: print(1 if S(r).contains(v,prereleases=True) else 0)\n except Exception: print(-1)";
    let pairs = requirements(
        Dialect::Pep440,
        "(>=|<=|>|<|==|!=|~=)[0-2]\\.[0-2](\\.[0-2])?((a|rc)1)?(\\.post1)?(,(>=|<|!=)[0-2](\\.[0-2])?)?",
        "[0-2](\\.[0-2]){0,2}((a|rc)[12])?(\\.post[12])?(\\.dev1)?(\\+x)?",
        6000,
    );
    let answers = ask("python3", &["-c", script], &pairs);
    assert_requirements_agree(Dialect::Pep440, &pairs, &answers);
}

#[test]
fn composer_constraints_agree() {
    let script = format!(
        "{PHP}foreach($lines as [$r,$v]){{try{{echo Composer\\Semver\\Semver::satisfies($v,$r)?1:0,\"\\n\";}}catch(\\Throwable $e){{echo \"-1\\n\";}}}}"
    );
    // The upper end of a hyphen is never below the lower one: composer joins such empty ranges with their neighbours.
    let one = "((>=|<=|>|<|=|!=|~|\\^)?[0-2](\\.[0-2]){0,3}(-(alpha|beta|RC)[12])?|[0-2](\\.[0-2])?\\.\\*|[01](\\.[0-2])? - 2(\\.[0-2](\\.[0-2])?)?)";
    let pattern: &'static str = Box::leak(format!("{one}(,{one})?( ?\\|\\| ?{one})?").into_boxed_str());
    let pairs =
        requirements(Dialect::Composer, pattern, "[0-3](\\.[0-3]){0,3}(-(alpha|beta|RC)[12]|-dev|-patch1)?", 6000);
    let answers = ask("php", &["-r", &script], &pairs);
    assert_requirements_agree(Dialect::Composer, &pairs, &answers);
}
