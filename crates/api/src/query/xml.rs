//! Writes XML elements, escaped, in the order of the calls.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use serde_json::Value;

use crate::{Shape, Timestamp};

/// A document under construction.
pub(crate) struct Elements {
    writer: Writer<Vec<u8>>,
}

impl Elements {
    /// An empty document.
    pub(crate) fn new() -> Self {
        Self { writer: Writer::new(Vec::new()) }
    }

    /// An element with whatever `content` writes in it.
    pub(crate) fn within(
        &mut self,
        name: &str,
        attribute: Option<(&str, &str)>,
        content: impl FnOnce(&mut Self),
    ) {
        self.event(Event::Start(BytesStart::new(name).with_attributes(attribute)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element that holds a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.within(name, None, |elements| elements.event(Event::Text(BytesText::new(text))));
    }

    /// An element that holds a value of the given shape. Members that are absent write nothing.
    pub(crate) fn value(&mut self, name: &str, shape: &Shape, value: &Value) {
        match (shape, value) {
            (_, Value::Null) => {}
            (Shape::Structure { members, .. }, Value::Object(object)) => {
                self.within(name, None, |elements| {
                    for member in *members {
                        if let Some(value) = object.get(member.name) {
                            elements.value(member.name, member.shape, value);
                        }
                    }
                })
            }
            (Shape::List { item, item_name: None, .. }, Value::Array(items)) => {
                for value in items {
                    self.value(name, item, value);
                }
            }
            (Shape::List { item, item_name: Some(item_name), .. }, Value::Array(items)) => {
                self.within(name, None, |elements| {
                    for value in items {
                        elements.value(item_name, item, value);
                    }
                });
            }
            (Shape::Map { value: item, .. }, Value::Object(object)) => self.within(name, None, |elements| {
                for (key, value) in object {
                    elements.within("entry", None, |elements| {
                        elements.text("key", key);
                        elements.value("value", item, value);
                    });
                }
            }),
            (Shape::Timestamp, value) => {
                let time = Timestamp::from_json(value).expect("a Timestamp serializes to what it reads");
                self.text(name, &time.to_string());
            }
            (_, Value::String(text)) => self.text(name, text),
            (_, value) => self.text(name, &value.to_string()),
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.writer.into_inner()
    }

    fn event(&mut self, event: Event<'_>) {
        self.writer.write_event(event).expect("writing to memory does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Member};

    const TEXT: Shape = Shape::Text { length: Limits::NONE, pattern: None, values: &[], sensitive: false };
    static TAG: Shape = Shape::Structure {
        name: "Tag",
        members: &[
            Member { name: "Key", shape: &TEXT, required: true },
            Member { name: "Value", shape: &TEXT, required: true },
        ],
    };
    static ROLE: Shape = Shape::Structure {
        name: "Role",
        members: &[
            Member { name: "RoleName", shape: &TEXT, required: true },
            Member { name: "CreateDate", shape: &Shape::Timestamp, required: true },
            Member { name: "Hidden", shape: &Shape::Boolean, required: false },
            Member {
                name: "Tags",
                shape: &Shape::List { item: &TAG, item_name: Some("member"), length: Limits::NONE },
                required: false,
            },
            Member {
                name: "Flat",
                shape: &Shape::List { item: &TEXT, item_name: None, length: Limits::NONE },
                required: false,
            },
            Member {
                name: "Labels",
                shape: &Shape::Map { key: &TEXT, value: &TEXT, length: Limits::NONE },
                required: false,
            },
        ],
    };

    #[test]
    fn every_shape_in_the_models_order() {
        let value = serde_json::json!({
            "Tags": [{"Value": "<v>", "Key": "k"}], "RoleName": "r", "CreateDate": 1_781_524_800, "Hidden": true,
            "Flat": ["a", "b"], "Labels": {"l": "m"},
        });
        let mut elements = Elements::new();
        elements.value("Role", &ROLE, &value);
        insta::assert_snapshot!(String::from_utf8(elements.into_bytes()).unwrap(), @"<Role><RoleName>r</RoleName><CreateDate>2026-06-15T12:00:00Z</CreateDate><Hidden>true</Hidden><Tags><member><Key>k</Key><Value>&lt;v&gt;</Value></member></Tags><Flat>a</Flat><Flat>b</Flat><Labels><entry><key>l</key><value>m</value></entry></Labels></Role>");
    }

    #[test]
    fn an_empty_list_is_an_empty_element() {
        let mut elements = Elements::new();
        elements.value("Role", &ROLE, &serde_json::json!({"Tags": [], "Hidden": null}));
        insta::assert_snapshot!(String::from_utf8(elements.into_bytes()).unwrap(), @"<Role><Tags></Tags></Role>");
    }
}
