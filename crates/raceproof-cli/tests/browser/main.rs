//! The page as its readers meet it: written by `raceproof check --html`, opened in a headless Chromium.
#![cfg(unix)]

mod devtools;

use std::path::{Path, PathBuf};
use std::process::Command;

use devtools::Browser;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Time and rows.
const LOCK: &str = r#"
scenario { name = "lock/paused", about = "a holder is held up", pauses = 1 }
setup(function()
  sql("CREATE TABLE job (id INTEGER PRIMARY KEY, runs INTEGER, workers TEXT)")
  sql("INSERT INTO job VALUES (1, 0, '')")
end)
clients { "A", "B", function(me)
  if redis("SET", "lock", me, "NX", "PX", 30000) then
    local runs = sql("SELECT runs FROM job WHERE id = 1")[1].runs
    sql("UPDATE job SET runs = ?, workers = workers || ? WHERE id = 1", runs + 1, me)
  end
end }
always(function()
  local job = sql("SELECT runs, workers FROM job WHERE id = 1")[1]
  expect(job.runs == #job.workers, "a run is lost")
end)
"#;

/// A death, and a value too long to be shown whole.
const CRASH: &str = r#"
scenario { name = "cache/crash", faults = { crash = 1 } }
setup(function() redis("SET", "user:1", "free") redis("SET", "row", "free") end)
client("writer", function()
  redis("SET", "row", "pro, " .. ("and so on, "):rep(20) .. "to its end")
  redis("DEL", "user:1")
end)
quiet(function()
  local cached = redis("GET", "user:1")
  expect(cached == nil or cached == redis("GET", "row"), "stale for ever")
end)
"#;

const KEPT: &str = r#"
scenario { name = "cache/kept", about = "INCR" }
clients { "a", "b", function() redis("INCR", "n") end }
finally(function() expect(redis("GET", "n") == "2", "an increment was lost") end)
"#;

/// Every text that a client or a file can bring in tries to be markup.
const HOSTILE: &str = r#"
local evil = "\"'><script>hacked = 1</script><img src=x onerror=hacked=1>"
scenario { name = "x/<script>hacked=1</script>", about = "</style></script><script>hacked=1</script>",
  known_from = evil, faults = { crash = 1 } }
setup(function()
  redis("SET", evil, "</code><script>hacked=1</script>")
  sql("CREATE TABLE \"<b onclick='hacked=1'>\" (\"<i>\" TEXT)")
  sql("INSERT INTO \"<b onclick='hacked=1'>\" VALUES ('</details><script>hacked=1</script>')")
end)
client("<script>hacked=1</script>", function()
  redis("SET", evil, "javascript:hacked=1 \0\27[31m" .. evil:rep(9))
  redis("HSET", "h", evil, evil)
  sql("UPDATE \"<b onclick='hacked=1'>\" SET \"<i>\" = ?", evil)
  redis("GET", "-->" .. evil)
end)
finally(function() expect(redis("EXISTS", "h") == 0, "</title></p>" .. evil) end)
"#;

/// A folder with scenarios, and what `check` makes of them.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("files can be written");
        }
        let output = Command::new(env!("CARGO_BIN_EXE_raceproof"))
            .args(["check", ".", "--html", "page.html", "--svg", "pictures"])
            .current_dir(folder.path())
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder }
    }

    fn designs() -> Self {
        Self::with(&[("lock.lua", LOCK), ("crash.lua", CRASH), ("kept.lua", KEPT)])
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn page(&self) -> PathBuf {
        self.path().join("page.html")
    }
}

/// Opens the page at an address within it. A complaint comes first: if the script's hash is not the one that the page
/// allows, nothing else holds, and the complaint names the right one.
fn open(browser: &mut Browser, desk: &Desk, fragment: &str) {
    browser.open(&desk.page(), fragment);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The step that is marked: its number, as the page shows it, and the address.
fn marked(browser: &mut Browser) -> (Vec<String>, String) {
    let marked = browser.eval("[...document.querySelectorAll('[aria-current=step] .n')].map((n) => n.textContent)");
    let hash = browser.eval("decodeURIComponent(location.hash)");
    let texts = marked.as_array().expect("a list").iter().map(|text| text.as_str().unwrap_or_default().to_owned());
    (texts.collect(), hash.as_str().unwrap_or_default().to_owned())
}

#[track_caller]
fn is_at(browser: &mut Browser, number: &str, hash: &str) {
    assert_eq!(marked(browser), (vec![number.to_owned()], hash.to_owned()));
}

/// How many elements that a selector finds can be seen.
fn seen(browser: &mut Browser, selector: &str) -> usize {
    let count = browser.eval(&format!(
        "[...document.querySelectorAll({})].filter((one) => one.checkVisibility({{ checkOpacity: true }})).length",
        json!(selector)
    ));
    usize::try_from(count.as_u64().expect("a count")).expect("a small one")
}

#[test]
fn the_keyboard_and_the_buttons_go_through_the_steps() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "#lock/paused");
    let steps = browser.eval("document.querySelectorAll('[id=\"lock/paused\"] .step[id]').length - 1");
    let steps = steps.as_u64().expect("a number");
    let (last, before) = (steps.to_string(), (steps - 1).to_string());
    assert!(marked(&mut browser).0.is_empty(), "nothing is marked before anybody steps");
    browser.press("ArrowRight");
    is_at(&mut browser, "○", "#lock/paused:0");
    browser.press("ArrowRight");
    is_at(&mut browser, "1", "#lock/paused:1");
    browser.press("j");
    is_at(&mut browser, "2", "#lock/paused:2");
    browser.press("k");
    browser.press("ArrowLeft");
    is_at(&mut browser, "○", "#lock/paused:0");
    browser.press("ArrowLeft");
    is_at(&mut browser, "○", "#lock/paused:0");
    browser.press("End");
    is_at(&mut browser, &last, &format!("#lock/paused:{last}"));
    browser.press("ArrowRight");
    is_at(&mut browser, &last, &format!("#lock/paused:{last}"));
    browser.press("Home");
    is_at(&mut browser, "○", "#lock/paused:0");
    browser.click("[id='lock/paused'] [data-go=last]");
    is_at(&mut browser, &last, &format!("#lock/paused:{last}"));
    browser.click("[id='lock/paused'] [data-go=back]");
    is_at(&mut browser, &before, &format!("#lock/paused:{before}"));
    assert_eq!(
        browser.eval("document.querySelector('[id=\"lock/paused\"] .at').textContent"),
        json!(format!("step {before} of {steps}"))
    );
    let said = browser.eval("document.getElementById('live').textContent");
    assert!(said.as_str().is_some_and(|said| said.starts_with(&format!("step {before} of {steps}: "))), "{said}");
    // What is still to come is pale, what is marked stands out, and each differs by more than its colour.
    assert_eq!(browser.eval("document.querySelectorAll('.ahead').length"), 1);
    let border = "getComputedStyle(document.querySelector('[aria-current]')).borderLeftColor";
    assert_ne!(browser.eval(border), "rgba(0, 0, 0, 0)");
    browser.press("Escape");
    assert!(marked(&mut browser).0.is_empty());
    assert_eq!(browser.eval("document.querySelectorAll('.ahead').length"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_state_of_keys_and_rows_stands_beside_each_step() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "");
    let changed = "[...document.querySelectorAll('[id=\"lock/paused\"] .step')].map((step) => \
                   [...step.querySelectorAll('.changed')].map((one) => one.innerText.replaceAll(/\\s+/g, ' ').trim()))";
    let changed = browser.eval(changed);
    let flat: Vec<&str> = changed.as_array().expect("steps").iter().filter_map(|step| step[0].as_str()).collect();
    let row = |text: &str| text.starts_with("changed: job id 1");
    assert!(flat.contains(&"changed: lock \"A\" 30 s left new"), "{flat:?}");
    assert!(
        flat.iter().any(|text| text.starts_with("changed: lock") && text.contains("expired was \"A\"")),
        "{flat:?}"
    );
    assert!(flat.iter().any(|text| row(text) && text.contains("runs 1") && text.contains("was runs 0")), "{flat:?}");
    let items = browser.eval("[...document.querySelectorAll('[id=\"lock/paused\"] .step[id]')].map((step) => step.querySelectorAll('.item').length)");
    assert!(
        items.as_array().expect("steps").iter().all(|count| count == 2),
        "the key and the row, at every step: {items}"
    );
    // A value that is too long is there in full when it is opened, and before, for the pointer.
    let long = "[id='cache/crash'] .label .long";
    let full = browser.eval(&format!("document.querySelector(\"{long} summary\").title"));
    assert!(full.as_str().is_some_and(|full| full.contains("to its end") && full.len() > 200), "{full}");
    assert_eq!(seen(&mut browser, &format!("{long} .full")), 0);
    browser.click(&format!("{long} summary"));
    assert_eq!(seen(&mut browser, &format!("{long}[open] .full")), 1);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn an_address_leads_to_a_protocol_and_to_a_step() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "#cache/crash:2");
    is_at(&mut browser, "2", "#cache/crash:2");
    let top = "document.querySelector('[aria-current]').getBoundingClientRect().top";
    assert!(browser.eval(top).as_f64().is_some_and(|top| (0.0..1000.0).contains(&top)), "it is in sight");
    browser.eval("document.querySelector('a[href=\"#lock/paused:1\"]').click()");
    browser.eval("new Promise((done) => setTimeout(done, 50))");
    assert_eq!(marked(&mut browser).1, "#lock/paused:1");
    // A cell of the matrix leads to its counterexample; what holds is found in the matrix.
    let links = browser.eval("[...document.querySelectorAll('.matrix a')].every((a) => document.getElementById(a.getAttribute('href').slice(1)))");
    assert_eq!(links, true);
    open(&mut browser, &desk, "#cache/kept");
    assert_eq!(browser.eval("document.querySelector(':target').tagName"), "TR");
    let twice = "(() => { const ids = [...document.querySelectorAll('[id]')].map((one) => one.id); return ids.length - new Set(ids).size })()";
    assert_eq!(browser.eval(twice), 0, "ids are unique");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Six keys, of which each step changes one.
const MANY: &str = r#"
scenario { name = "many/keys" }
setup(function() for n = 1, 6 do redis("SET", "key:" .. n, "0") end end)
client("a", function() redis("SET", "key:1", "1") redis("SET", "key:2", "1") end)
finally(function() expect(redis("GET", "key:1") == "0", "it was changed") end)
"#;

#[test]
fn of_many_keys_the_unchanged_ones_open_with_their_step() {
    let (desk, mut browser) = (Desk::with(&[("many.lua", MANY)]), Browser::start());
    open(&mut browser, &desk, "");
    let (changed, all) = (".step[id='many/keys:1'] .changed", ".step[id='many/keys:1'] .item");
    assert_eq!((seen(&mut browser, changed), seen(&mut browser, all)), (1, 1));
    assert_eq!(seen(&mut browser, ".start .item"), 6, "the start shows all");
    browser.press("j");
    browser.press("j");
    assert_eq!(seen(&mut browser, all), 6, "the marked step shows all");
    browser.press("j");
    assert_eq!(seen(&mut browser, all), 1);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The smallest contrast between a text and what it stands on, over all texts that can be seen.
const CONTRAST: &str = r"(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (color) => color.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => { for (; one; one = one.parentElement) {
    const color = rgb(getComputedStyle(one).backgroundColor); if (color[3] === 255) return color; } return [255, 255, 255, 255]; };
  let worst = [99, ''];
  for (const one of document.querySelectorAll('body *')) {
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!text || !one.checkVisibility({ checkOpacity: true }) || one.matches('[title^=\'not searched\']')) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, one.outerHTML.slice(0, 120)];
  }
  return worst;
})()";

#[test]
fn light_and_dark_can_be_read_and_chosen() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "");
    let ground = "getComputedStyle(document.body).backgroundColor";
    let (white, black) = ("rgb(255, 255, 255)", "rgb(20, 21, 24)");
    for (scheme, color) in [("light", white), ("dark", black)] {
        browser.emulate("", scheme);
        assert_eq!(browser.eval(ground), color);
        let worst = browser.eval(CONTRAST);
        assert!(worst[0].as_f64().is_some_and(|ratio| (4.5..99.0).contains(&ratio)), "{scheme}: {worst}");
    }
    browser.emulate("", "light");
    for (name, color) in [("Theme: light", white), ("Theme: dark", black), ("Theme: system", white)] {
        browser.click("#theme");
        assert_eq!(browser.eval("document.getElementById('theme').textContent"), name);
        assert_eq!(browser.eval(ground), color);
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn print_shows_every_step() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    browser.emulate("", "dark");
    open(&mut browser, &desk, "#lock/paused:1");
    let steps = seen(&mut browser, ".step");
    browser.emulate("print", "dark");
    assert_eq!(seen(&mut browser, ".step"), steps);
    let pale = browser.eval("[...document.querySelectorAll('.step, .step > *')].filter((one) => getComputedStyle(one).opacity !== '1').length");
    assert_eq!(pale, 0, "on paper there is no step to come");
    assert_eq!(seen(&mut browser, ".with-script"), 0, "paper has no buttons");
    assert_eq!(browser.eval("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    let paper = browser.call("Page.printToPDF", json!({}));
    assert!(paper["data"].as_str().is_some_and(|data| data.starts_with("JVBERi")), "a PDF");
}

#[test]
fn without_its_script_the_page_is_a_list_of_steps() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "");
    let steps = seen(&mut browser, ".step");
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    open(&mut browser, &desk, "");
    assert!(steps > 8);
    assert_eq!(seen(&mut browser, ".step"), steps);
    assert_eq!(seen(&mut browser, ".with-script"), 0, "no button that does nothing");
    assert_eq!(seen(&mut browser, ".step div.state"), steps - 2, "the state after each step, but for the verdicts");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_fits_a_telephone_and_a_wide_screen() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "");
    for width in [340, 420, 760, 1024, 1280, 2560] {
        browser.resize(width, 900);
        let over = browser.eval("document.documentElement.scrollWidth - innerWidth");
        assert!(over.as_i64().is_some_and(|over| over <= 0), "{width} px: {over} too wide");
    }
    browser.resize(400, 900);
    assert_eq!(seen(&mut browser, ".heads"), 0, "lanes have no room");
    let route = "getComputedStyle(document.querySelector('.call .route')).position";
    assert_eq!(browser.eval(route), "static", "so each step says who talks to whom");
}

#[test]
fn a_command_can_be_copied() {
    let (desk, mut browser) = (Desk::designs(), Browser::start());
    open(&mut browser, &desk, "");
    browser
        .call("Browser.grantPermissions", json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }));
    browser.click("[id='cache/crash'] .copy");
    let copied = "new Promise((done) => { const look = () => { const text = \
                  document.querySelector('[id=\"cache/crash\"] .copy').textContent; \
                  if (text === 'Copy') setTimeout(look, 5); else done(text); }; look(); })";
    assert_eq!(browser.eval(copied), "Copied");
    let token = browser.eval("document.querySelector('[id=\"cache/crash\"] .command').textContent");
    assert_eq!(browser.eval("navigator.clipboard.readText()"), token);
}

#[test]
fn hostile_texts_stay_texts_and_nothing_is_fetched() {
    let (desk, mut browser) = (Desk::with(&[("hostile.lua", HOSTILE)]), Browser::start());
    open(&mut browser, &desk, "");
    browser.press("ArrowRight");
    browser.press("ArrowRight");
    assert_eq!(browser.eval("typeof hacked"), "undefined");
    assert_eq!(browser.eval("document.scripts.length"), 1);
    assert_eq!(browser.eval("document.querySelectorAll('img, b[onclick], iframe, object').length"), 0);
    let handlers = "[...document.querySelectorAll('*')].filter((one) => [...one.attributes].some((a) => a.name.startsWith('on'))).length";
    assert_eq!(browser.eval(handlers), 0);
    let text = browser.eval("document.body.innerText");
    let text = text.as_str().expect("a text");
    assert!(
        text.contains("<script>hacked=1</script>") && text.contains("</details><script>"),
        "it is shown as it is:\n{text}"
    );
    assert!(!text.contains('\0') && !text.contains('\u{1b}'));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests: Vec<String> = browser.requests().into_iter().filter(|url| !url.starts_with("data:")).collect();
    assert_eq!(requests.len(), 1, "the page itself, and nothing else: {requests:?}");
    // Were the escaping broken, the policy would still hold: neither a handler nor a script runs, nothing is loaded.
    browser.eval("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,x\" onerror=\"hacked = 1\">')");
    browser.eval("(() => { const one = document.createElement('script'); one.textContent = 'hacked = 1'; document.body.append(one) })()");
    browser.eval("new Promise((done) => setTimeout(done, 100))");
    assert_eq!(browser.eval("typeof hacked"), "undefined");
}

#[test]
fn pictures_are_well_formed_and_follow_the_scheme() {
    let (desk, mut browser) = (Desk::with(&[("hostile.lua", HOSTILE), ("lock.lua", LOCK)]), Browser::start());
    let mut names: Vec<String> = std::fs::read_dir(desk.path().join("pictures"))
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert_eq!(names, ["lock-paused.svg", "x--script-hacked-1--script.svg"]);
    for name in names {
        let file = desk.path().join("pictures").join(&name);
        browser.open(&file, "");
        assert_eq!(browser.eval("document.documentElement.nodeName"), "svg", "{name}");
        assert_eq!(browser.eval("document.querySelectorAll('parsererror, script').length"), 0, "{name}");
        assert_eq!(browser.eval("typeof hacked"), "undefined");
        let mut colors = Vec::new();
        for scheme in ["light", "dark"] {
            browser.emulate("", scheme);
            colors.push(browser.eval("getComputedStyle(document.querySelector('.page')).fill"));
        }
        assert_eq!(colors, [json!("rgb(255, 255, 255)"), json!("rgb(20, 21, 24)")]);
        // Nothing is cut off, and no label runs into the next lane's name.
        let outside = "(() => { const all = document.documentElement.viewBox.baseVal; return [...document.querySelectorAll('text')]\
                       .filter((one) => { const box = one.getBBox(); return box.x < 0 || box.x + box.width > all.width || \
                       box.y + box.height > all.height; }).map((one) => one.textContent) })()";
        assert_eq!(browser.eval(outside), Value::Array(Vec::new()), "{name}");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}
