//! How the product looks to an organisation: its name, accent and pictures, here and on reports.
//!
//! Everybody may see it: what the organisation that setup made looks like is shown before anybody signed in, and
//! browsers fetch pictures without credentials. A picture that is uploaded is decoded and written anew, so that nothing
//! but its pixels is stored: no comments, no places, and no other kind of file behind the name of a picture.

use std::io::Cursor;

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result};
use bartizan_reports::Brand;
use bartizan_storage::branding::{self as storage, BrandingAsset};
use bartizan_storage::settings::{self, Setting};
use bartizan_storage::{Db, StorageError, organizations};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::mutation::{Change, Mutation};
use crate::settings::Versioned;
use crate::validate::Fields;
use crate::{OpContext, Services};

/// Largest picture, in bytes, as uploaded and as stored.
pub const MAX_FILE: usize = 2 * 1024 * 1024;
/// Most pixels of either side.
pub const MAX_SIDE: u32 = 2048;
/// Memory that decoding may take: the largest picture with four channels of 16 bits, and as much again.
const MAX_DECODED: u64 = 2 * 8 * (MAX_SIDE as u64) * (MAX_SIDE as u64);
/// Least contrast of an accent on the ground it stands on (WCAG 2.2, success criterion 1.4.3).
const CONTRAST: f64 = 4.5;
/// The grounds of the light and the dark theme that an accent stands on.
const LIGHT_GROUND: &str = "#FAFAF9";
const DARK_GROUND: &str = "#1A1D20";
const KEY: &str = "branding";

/// Texts and colours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// Name shown in place of the product's.
    pub product_name: Option<String>,
    /// Name of whoever runs it, on reports.
    pub company_name: Option<String>,
    /// Line at the foot of reports.
    pub footer_text: Option<String>,
    /// Colour of buttons and links in the light theme and on reports, `#rrggbb`.
    pub accent_color: Option<String>,
    /// The same in the dark theme.
    pub accent_color_dark: Option<String>,
}

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetKind {
    /// Logo on light ground.
    LogoLight,
    /// Logo on dark ground.
    LogoDark,
    /// Icon of the page.
    Favicon,
}

impl AssetKind {
    /// The wire and stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogoLight => "logo_light",
            Self::LogoDark => "logo_dark",
            Self::Favicon => "favicon",
        }
    }
}

/// How the product looks to an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branding {
    /// Whose it is; `None` before setup.
    pub organization: Option<OrganizationId>,
    /// Texts and colours, and their version.
    pub texts: Versioned<Texts>,
    /// Pictures there are, each with the hash of its content.
    pub assets: Vec<(String, String)>,
}

/// How the product looks to an organisation, or else to the one that setup made. Anybody may know.
///
/// # Errors
/// [`Error::NotFound`] if there is no such organisation.
pub async fn get(_cx: &OpContext, services: &Services, of: Option<OrganizationId>) -> Result<Branding> {
    let db = services.store.read();
    let Some(organization) = owner(db, of).await? else {
        let texts = Versioned { value: Texts::default(), version: 0 };
        return Ok(Branding { organization: None, texts, assets: Vec::new() });
    };
    Ok(Branding {
        organization: Some(organization),
        texts: read(db, organization).await?,
        assets: storage::hashes(db, organization).await?,
    })
}

/// The caller's own organisation, as one who may change its looks sees it.
///
/// # Errors
/// If the caller may not change it.
pub async fn own(cx: &OpContext, services: &Services) -> Result<Branding> {
    get(cx, services, Some(cx.require(Permission::BrandingManage)?)).await
}

/// Changes texts and colours, if they are still at the version `expected`.
///
/// # Errors
/// [`Error::Invalid`] for a text or colour that breaks a rule, [`Error::Conflict`] if somebody changed them meanwhile.
pub async fn update(cx: &OpContext, services: &Services, texts: Texts, expected: i64) -> Result<Branding> {
    let (organization, change) = Mutation::begin(cx, services, Permission::BrandingManage).await?;
    let texts = checked(texts)?;
    let changed = || Error::Conflict("Branding was changed by somebody else meanwhile; read it again".to_owned());
    let before = read(change.db(), organization).await?;
    if before.version != expected {
        return Err(changed());
    }
    let json = |texts: &Texts| serde_json::to_value(texts).map_err(Error::internal);
    let row = Setting {
        key: KEY.to_owned(),
        value: json(&texts)?,
        version: before.version + 1,
        updated_at: cx.now(),
        updated_by: cx.actor().user_id(),
    };
    if !settings::put(change.db(), organization, &row).await? {
        return Err(changed());
    }
    let entry = Change::new("branding.update", "branding", KEY);
    change.commit(entry.before(json(&before.value)?).after(json(&texts)?)).await?;
    get(cx, services, Some(organization)).await
}

/// Stores a picture in place of the one that may be there.
///
/// # Errors
/// [`Error::TooLarge`] beyond [`MAX_FILE`], [`Error::Invalid`] for what is not a whole PNG of at most [`MAX_SIDE`]
/// pixels a side.
pub async fn put_asset(cx: &OpContext, services: &Services, kind: AssetKind, file: Vec<u8>) -> Result<()> {
    cx.require(Permission::BrandingManage)?;
    if file.len() > MAX_FILE {
        return Err(Error::TooLarge(format!("the picture is larger than {MAX_FILE} bytes")));
    }
    // Decoding takes long enough that other requests would notice.
    let clean = tokio::task::spawn_blocking(move || clean_png(&file)).await.map_err(Error::internal)?;
    let bytes = clean.map_err(|message| Error::invalid("body -> file", message))?;
    let (organization, change) = Mutation::begin(cx, services, Permission::BrandingManage).await?;
    let hash = hex::encode(Sha256::digest(&bytes));
    let entry = Change::new("branding.upload", "branding", kind.as_str());
    let entry = entry.after(json!({ "sha256": hash, "bytes": bytes.len() }));
    let asset = BrandingAsset { kind: kind.as_str().to_owned(), hash, bytes, updated_at: cx.now() };
    storage::put(change.db(), organization, &asset).await?;
    change.commit(entry).await
}

/// Removes a picture.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn remove_asset(cx: &OpContext, services: &Services, kind: AssetKind) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::BrandingManage).await?;
    if !storage::remove(change.db(), organization, kind.as_str()).await? {
        return Err(missing(kind));
    }
    change.commit(Change::new("branding.remove", "branding", kind.as_str())).await
}

/// A picture and its hash, of an organisation or else of the one that setup made. Anybody may see it.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn asset(
    _cx: &OpContext,
    services: &Services,
    of: Option<OrganizationId>,
    kind: AssetKind,
) -> Result<(Vec<u8>, String)> {
    let db = services.store.read();
    let Some(organization) = owner(db, of).await? else { return Err(missing(kind)) };
    let found = storage::get(db, organization, kind.as_str()).await?;
    found.map(|asset| (asset.bytes, asset.hash)).ok_or_else(|| missing(kind))
}

/// What a report of an organisation looks like.
pub(crate) async fn of_reports(services: &Services, organization: OrganizationId) -> Result<Brand> {
    let db = services.store.read();
    let texts = read(db, organization).await?.value;
    let logo = storage::get(db, organization, AssetKind::LogoLight.as_str()).await?;
    Ok(Brand {
        product_name: texts.product_name,
        company_name: texts.company_name,
        footer_text: texts.footer_text,
        accent_color: texts.accent_color,
        accent_color_dark: texts.accent_color_dark,
        logo_png: logo.map(|asset| asset.bytes),
    })
}

fn missing(kind: AssetKind) -> Error {
    Error::not_found("branding asset", kind.as_str())
}

/// The organisation that is meant, which must exist; `None` before setup.
async fn owner(db: Db<'_>, of: Option<OrganizationId>) -> Result<Option<OrganizationId>> {
    match of {
        Some(id) if organizations::get(db, id).await?.is_none() => Err(Error::not_found("organization", id)),
        Some(id) => Ok(Some(id)),
        None => Ok(organizations::first(db).await?.map(|organization| organization.id)),
    }
}

async fn read(db: Db<'_>, organization: OrganizationId) -> Result<Versioned<Texts>> {
    match settings::get(db, organization, KEY).await? {
        None => Ok(Versioned { value: Texts::default(), version: 0 }),
        Some(row) => {
            let value = serde_json::from_value(row.value)
                .map_err(|error| StorageError::Corrupt(format!("setting {KEY}: {error}")))?;
            Ok(Versioned { value, version: row.version })
        }
    }
}

/// The texts, trimmed, if they keep the rules.
fn checked(texts: Texts) -> Result<Texts> {
    let mut fields = Fields::default();
    let mut text = |field: &str, value: Option<String>, most| value.map(|value| fields.text(field, &value, most));
    let product_name = text("product_name", texts.product_name, 60);
    let company_name = text("company_name", texts.company_name, 120);
    let footer_text = text("footer_text", texts.footer_text, 300);
    let mut colour = |field: &str, value: Option<String>, ground: &str| {
        let value = value?;
        let Some(contrast) = contrast(&value, ground) else {
            fields.error(field, format!("{field} must be a colour such as #0b62c4"));
            return None;
        };
        if contrast < CONTRAST {
            let text = format!("{value} has a contrast of {contrast:.1} on {ground}; {CONTRAST} is the least");
            fields.error(field, text);
        }
        Some(value.to_ascii_lowercase())
    };
    let accent_color = colour("accent_color", texts.accent_color, LIGHT_GROUND);
    let accent_color_dark = colour("accent_color_dark", texts.accent_color_dark, DARK_GROUND);
    fields.finish()?;
    Ok(Texts { product_name, company_name, footer_text, accent_color, accent_color_dark })
}

/// The contrast of two colours from 1 to 21, or `None` for what is no colour.
fn contrast(one: &str, other: &str) -> Option<f64> {
    let (one, other) = (luminance(one)?, luminance(other)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

/// Relative luminance of `#rrggbb`, as WCAG 2.2 defines it.
fn luminance(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#')?;
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let channel = |shift: u32| {
        let part = f64::from(value >> shift & 0xff) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0))
}

/// The same picture, with nothing in the file but its pixels, 8 bits a channel.
fn clean_png(file: &[u8]) -> Result<Vec<u8>, String> {
    if !file.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err("the file is not a PNG picture".to_owned());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(file), ImageFormat::Png);
    reader.limits(limits);
    let unusable = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => format!("the picture is larger than {MAX_SIDE} pixels a side"),
        _ => "the picture is damaged".to_owned(),
    };
    let picture = reader.decode().map_err(unusable)?.into_rgba8();
    let mut out = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive);
    picture.write_with_encoder(encoder).map_err(unusable)?;
    if out.len() > MAX_FILE {
        return Err(format!("the picture takes more than {MAX_FILE} bytes once it is written anew; make it smaller"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image::RgbaImage::new(width, height).write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    /// A chunk as PNG has it; its checksum is right.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut body = kind.to_vec();
        body.extend_from_slice(data);
        let mut crc = !0_u32;
        for byte in &body {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        let mut out = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
        out.extend(body);
        out.extend((!crc).to_be_bytes());
        out
    }

    /// The picture with a chunk more, after its header.
    fn with_chunk(picture: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let (head, rest) = picture.split_at(33);
        [head, &chunk(kind, data), rest].concat()
    }

    #[test]
    fn pictures_come_out_without_what_was_hidden_in_them() {
        let mut hiding = with_chunk(&png(3, 2), b"tEXt", b"Comment\0<script>alert(1)</script>");
        hiding = with_chunk(&hiding, b"eXIf", b"MM\0*\0\0\0\x08 taken at 52.5200 N 13.4050 E");
        hiding.extend_from_slice(b"<?php system($_GET['c']); ?>");
        let clean = clean_png(&hiding).unwrap();
        let text = String::from_utf8_lossy(&clean);
        for word in ["script", "Comment", "eXIf", "taken", "php"] {
            assert!(!text.contains(word), "{word}");
        }
        let decoded = image::load_from_memory(&clean).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (3, 2));
        assert_eq!(clean_png(&clean).unwrap(), clean);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let whole = png(8, 8);
        let mut flipped = whole.clone();
        flipped[20] ^= 1;
        for bad in [&b"GIF89a"[..], b"<svg/>", b"", &whole[..20], &whole[..whole.len() - 30], &flipped] {
            assert!(clean_png(bad).is_err());
        }
        // The header alone, with nothing but a claim of size.
        assert!(clean_png(&[&b"\x89PNG\r\n\x1a\n"[..], &[0, 0, 0, 13], b"IHDR"].concat()).is_err());
    }

    #[test]
    fn pictures_that_unpack_to_too_much_are_refused_before_they_are_unpacked() {
        assert!(clean_png(&png(MAX_SIDE, 1)).is_ok());
        assert!(clean_png(&png(MAX_SIDE + 1, 1)).unwrap_err().contains("2048"));
        assert!(clean_png(&png(1, MAX_SIDE + 1)).unwrap_err().contains("2048"));
        // 60,000 pixels a side of four channels of 16 bits: 28.8 GB from a file of a few bytes.
        let mut header = Vec::new();
        header.extend(60_000_u32.to_be_bytes());
        header.extend(60_000_u32.to_be_bytes());
        header.extend([16, 6, 0, 0, 0]);
        let bomb = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &[0x78, 0x9c])].concat();
        assert!(clean_png(&bomb).unwrap_err().contains("2048"));
    }

    #[test]
    fn accents_are_colours_that_can_be_read() {
        let fields = |texts: Texts| match checked(texts) {
            Ok(_) => Vec::new(),
            Err(Error::Invalid(fields)) => fields.into_iter().map(|field| field.field).collect(),
            Err(other) => vec![other.to_string()],
        };
        let accent = |light: &str| fields(Texts { accent_color: Some(light.to_owned()), ..Texts::default() });
        for good in ["#0b62c4", "#0B62C4", "#000000"] {
            assert!(accent(good).is_empty(), "{good}");
        }
        for bad in ["0b62c4", "#fff", "#0b62c\u{e9}", "#+b62c4", "red", "#ffff00", "url(//evil.example)"] {
            assert_eq!(accent(bad), ["body -> accent_color"], "{bad}");
        }
        let dark = |dark: &str| fields(Texts { accent_color_dark: Some(dark.to_owned()), ..Texts::default() });
        assert!(dark("#6fb1ff").is_empty());
        assert_eq!(dark("#0b62c4"), ["body -> accent_color_dark"]);
        let black_on_white = contrast("#000000", "#ffffff").unwrap();
        assert!((black_on_white - 21.0).abs() < 1e-9, "{black_on_white}");
    }
}
