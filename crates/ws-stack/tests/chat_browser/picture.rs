//! The picture of the README: a desk in the light, a phone in the dark, one conversation.

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use ws_stack::BoxError;

use super::{
    Chat,
    devtools::{Browser, Tab},
    say, shows,
};

/// Who says what.
const LINES: [(&str, &str); 8] = [
    ("Margaret", "The new build is on the test server. Can everyone see it?"),
    ("Ada", "Yes, and it came back by itself after the restart."),
    ("Ada", "I had not even noticed that it was gone."),
    ("Grace", "Same here, on a train, in a tunnel."),
    ("Edsger", "How many of us does it hold?"),
    ("Grace", "Each line is framed once, however many read it."),
    ("Grace", "And whoever cannot keep up holds nobody back."),
    ("Ada", "Then let us ship it."),
];

/// Pixels for each point: enough for sharp text, in a file of less than 200 KB.
const DENSITY: f64 = 1.3;

/// Gives a tab another size, in points, and a colour scheme; what moves stands still.
pub(crate) async fn resize(
    browser: &mut Browser,
    tab: &Tab,
    (width, height): (u32, u32),
    scheme: &str,
) -> Result<(), BoxError> {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": DENSITY, "mobile": false });
    browser.call(Some(tab), "Emulation.setDeviceMetricsOverride", size).await?;
    let media = json!({ "features": [
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ] });
    browser.call(Some(tab), "Emulation.setEmulatedMedia", media).await?;
    browser.call(Some(tab), "Emulation.setLocaleOverride", json!({ "locale": "en-GB" })).await?;
    Ok(())
}

/// Lets Ada at the desk and Grace at the phone talk with two others; draws it into the file that `CHAT_PICTURE` names.
pub(crate) async fn converse(
    browser: &mut Browser,
    chat: &Chat,
    ada: &Tab,
    grace: &Tab,
) -> Result<(), BoxError> {
    let mut others = [("Margaret", chat.guest("Margaret").await?), ("Edsger", chat.guest("Edsger").await?)];
    for (name, text) in LINES {
        match name {
            "Ada" => say(browser, ada, text).await?,
            "Grace" => say(browser, grace, text).await?,
            _ => {
                let said = json!({ "type": "say", "text": text }).to_string();
                for (_, guest) in others.iter_mut().filter(|(other, _)| *other == name) {
                    guest.send(said.clone()).await?;
                }
            }
        }
        for tab in [ada, grace] {
            shows(browser, tab, ".said p", text).await?;
        }
    }
    if let Some(file) = std::env::var_os("CHAT_PICTURE") {
        draw(browser, ada, grace, Path::new(&file)).await?;
    }
    Ok(())
}

async fn draw(browser: &mut Browser, desk: &Tab, phone: &Tab, file: &Path) -> Result<(), BoxError> {
    for tab in [desk, phone] {
        browser.evaluate(tab, "text.blur()").await?;
    }
    let (desk, phone) = (shoot(browser, desk).await?, shoot(browser, phone).await?);
    let both = browser.open("about:blank").await?;
    resize(browser, &both, (1258, 840), "light").await?;
    let body = format!(
        "<style>
            body {{ margin: 0; height: 840px; background: #dfe2ec; position: relative; }}
            img {{ position: absolute; }}
            .desk {{ left: 40px; top: 40px; width: 760px; border-radius: 16px; }}
            .phone {{ right: 40px; top: 40px; width: 360px; border: 9px solid #05060a; border-radius: 42px; }}
        </style>
        <img class=desk src='data:image/png;base64,{desk}'><img class=phone src='data:image/png;base64,{phone}'>"
    );
    let show = format!(
        "document.body.innerHTML = {}; Promise.all([...document.images].map(image => image.decode())).then(() => 1)",
        json!(body)
    );
    browser.evaluate(&both, &show).await?;
    let both = shoot(browser, &both).await?;
    std::fs::write(file, BASE64_STANDARD.decode(both)?)?;
    Ok(())
}

/// What a tab shows, as a PNG in base64.
async fn shoot(browser: &mut Browser, tab: &Tab) -> Result<String, BoxError> {
    browser.call(Some(tab), "Page.bringToFront", json!({})).await?;
    let shot = browser.call(Some(tab), "Page.captureScreenshot", json!({ "format": "png" })).await?;
    Ok(shot["data"].as_str().ok_or("no picture")?.to_owned())
}
