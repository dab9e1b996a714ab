//! A small tree of an XML document, with bounds and without entities beyond the predefined ones.
//!
//! Not supported, deliberately: document type definitions and external entities; a document with a `DOCTYPE` is read as
//! if it had none.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use crate::component::ReadError;

/// Levels of nesting.
const MAX_DEPTH: usize = 200;
/// Elements of one document.
const MAX_ELEMENTS: usize = 5_000_000;

/// An element: local name, attributes by local name, text, children.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of that name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first child of that name, if it has any.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a document into its root element. Linear in its size.
pub(crate) fn read(text: &str) -> Result<Element, ReadError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event().map_err(ReadError::syntax)?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= MAX_DEPTH || elements > MAX_ELEMENTS {
                    return Err(ReadError::Unsupported("it is nested too deeply or has too many elements".to_owned()));
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(ReadError::Unsupported("it has too many elements".to_owned()));
                }
                close(element(&start)?, &mut open, &mut root);
            }
            Event::End(_) => {
                if let Some(done) = open.pop() {
                    close(done, &mut open, &mut root);
                }
            }
            Event::Text(text) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&text.xml10_content());
                }
            }
            Event::CData(data) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&data.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(parent) = open.last_mut() {
                    match reference.resolve_char_ref().map_err(ReadError::syntax)? {
                        Some(character) => parent.text.push(character),
                        None => {
                            parent
                                .text
                                .push_str(resolve_predefined_entity(&reference.xml10_content()).unwrap_or_default());
                        }
                    }
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match (root, open.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err(ReadError::Syntax("the document is cut off, or has no element".to_owned())),
    }
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = root.take().or(Some(done)),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, ReadError> {
    let local = |name: &str| name.to_owned();
    let mut element = Element { name: local(start.local_name().as_ref()), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(ReadError::syntax)?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(ReadError::syntax)?;
        element.attributes.push((local(attribute.key.local_name().as_ref()), value.into_owned()));
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_attributes_and_entities() {
        let root = read(
            "<?xml version=\"1.0\"?><a xmlns:x=\"u\"><x:b k=\"1 &amp; 2\">t&lt;<![CDATA[<&>]]>&#65;</x:b><c/></a>",
        )
        .unwrap();
        assert_eq!(root.name, "a");
        let b = root.child("b").unwrap();
        assert_eq!((b.attribute("k"), b.text.as_str()), (Some("1 & 2"), "t<<&>A"));
        assert!(root.child("c").is_some() && root.value("c").is_none());
    }

    #[test]
    fn bombs_and_depth_are_harmless() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"yyyy\"><!ENTITY z \"&x;&x;\">]><a>&z;</a>";
        assert_eq!(read(bomb).unwrap().text, "");
        assert!(read(&"<a>".repeat(MAX_DEPTH + 1)).is_err());
        assert!(read("<a>").is_err());
        assert!(read("").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s)<[ -~<>&;/!]{0,120}") {
            let _ = read(&text);
        }
    }
}
