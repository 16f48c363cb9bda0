//! Measures what reading a page costs: a generated article of 65 KB, or the files named on the
//! command line. Prints the least milliseconds a page took in a second of trying, which is what it
//! takes on a machine with nothing else to do.

use std::fmt::Write as _;
use std::time::Instant;

use jobs::Extraction;
use scrape::extract::{Input, Kind, extract};
use url::Url;

fn main() {
    let mut pages = vec![
        ("article".to_owned(), page(true)),
        ("list".to_owned(), page(false)),
    ];
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(bytes) => pages.push((path, String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
    for (name, text) in pages {
        measure(&name, &text);
    }
}

fn measure(name: &str, text: &str) {
    let Ok(url) = Url::parse("https://example.com/news/one") else {
        return;
    };
    for (how, kind) in [("main content", Kind::Html), ("whole body", Kind::Xml)] {
        let input = Input {
            text,
            kind,
            final_url: &url,
            language: None,
            extraction: &Extraction::default(),
        };
        let start = Instant::now();
        let mut least = f64::MAX;
        let mut last = None;
        while last.is_none() || start.elapsed().as_millis() < 1_000 {
            let round = Instant::now();
            last = Some(extract(&input));
            least = least.min(round.elapsed().as_secs_f64() * 1_000.0);
        }
        let speed = text.len() as f64 / 1_000.0 / least;
        let outcome = match last {
            Some(Ok(page)) => format!(
                "{} bytes of text, {} links",
                page.text.len(),
                page.links.len()
            ),
            Some(Err(failure)) => failure.to_string(),
            None => String::new(),
        };
        println!(
            "{name} ({} KB), {how}: {least:.2} ms, {speed:.0} MB/s, {outcome}",
            text.len() / 1_000
        );
    }
}

/// Navigation, an article or a list of cards, a sidebar, a footer: about 65 KB.
fn page(article: bool) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>A page</title>\
         <meta name=description content='What it is about'><meta property=og:type content=article>\
         <link rel=stylesheet href=/s.css><script src=/s.js defer></script></head><body>\
         <header class=site-header><nav class='nav primary'><ul>",
    );
    for n in 0..60 {
        let _ = write!(
            html,
            "<li class='nav-item'><a class='nav-link' href='/section/{n}'>Section {n}</a></li>"
        );
    }
    html += "</ul></nav></header><main><article class=post><h1>How the harvest went</h1>";
    for n in 0..115 {
        if article {
            let _ = write!(
                html,
                "<h2 id=p{n}>Part {n}</h2><p>The field was wide, and the <em>harvestmen</em> were \
                 many; they walked on legs as thin as <a href='/thread/{n}'>thread</a>, from one \
                 side to the other, and nobody counted them. Later, when the sun was low, they \
                 gathered under the eaves &amp; waited, as they do every year in September.</p>\
                 <p>Nobody knew why. &quot;It is warm there,&quot; said one, and another said that \
                 it was dry, which is the same in autumn.</p>"
            );
        } else {
            let _ = write!(
                html,
                "<div class='card product-card' data-id='{n}'><a class='card-link' href='/p/{n}'>\
                 <img class='card-image' loading=lazy src='/i/{n}.jpg' alt='Lamp {n}'></a>\
                 <div class='card-body'><h3 class='card-title'><a href='/p/{n}'>Lamp {n}</a></h3>\
                 <div class='price'><span class='currency'>$</span><span class='amount'>{n}.99\
                 </span></div><ul class='tags'><li>warm</li><li>small</li></ul>\
                 <button class='btn btn-primary' type=button>Add to cart</button></div></div>"
            );
        }
    }
    html += "</article></main><aside class=sidebar><h2>Related</h2><ul>";
    for n in 0..80 {
        let _ = write!(
            html,
            "<li class='related'><a href='/related/{n}?ref=side'>Related story number {n}</a> <span class=date>2024-03-{n:02}</span></li>"
        );
    }
    html += "</ul></aside><footer class=footer><p>All rights reserved.</p></footer></body></html>";
    html
}
