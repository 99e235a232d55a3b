//! `GET /docs`: the OpenAPI document as one page for people.
//!
//! The page is complete in itself: its style is inline, it has no script, and the only address in it besides its
//! own anchors is that of the document, relative, so that it holds under the prefix as well. All text comes from
//! the document and is escaped. What the document says is not judged here: a part this page does not know is
//! left out, never an error.

mod schema;
mod text;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use self::text::{anchor, field, json, prose};

/// Light and dark, by the reader's preference.
const STYLE: &str = include_str!("docs/style.css");

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Renders the whole document as HTML.
pub(crate) fn page(document: &Value) -> String {
    let title = field(&document["info"], "title");
    let operations = operations(document);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav { (contents(document, &operations)) }
                main {
                    header {
                        h1 { (title) " " small { (field(&document["info"], "version")) } }
                        p.lead { (field(&document["info"], "summary")) }
                        (servers(document))
                        (prose(field(&document["info"], "description")))
                    }
                    @for operation in &operations { (operation.section(document)) }
                    h2 #responses { "Shared responses" }
                    @for (name, response) in entries(&document["components"]["responses"]) {
                        section.card id=(anchor("response", name)) {
                            h3 { (name) (codes(response)) }
                            (response_body(document, response))
                        }
                    }
                    h2 #schemas { "Schemas" }
                    @for (name, schema) in entries(&document["components"]["schemas"]) {
                        section.card id=(anchor("schema", name)) {
                            h3 { (name) }
                            (schema::full(schema))
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// The entries of an object; none when it is no object.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The items of an array; none when it is no array.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What a reference stands for. Only references within the document are followed, and only one step.
fn resolve<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let pointer = node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(node)
}

/// One method of one path.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    item: &'a Value,
    body: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, body) in entries(item).filter(|(method, _)| METHODS.contains(&method.as_str())) {
            operations.push(Operation { method, path, item, body });
        }
    }
    operations
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        anchor(self.method, self.path)
    }

    /// The method as a badge, and the path.
    fn name(&self) -> Markup {
        html! {
            span class=(format!("method {}", self.method)) { (self.method.to_uppercase()) }
            code.path { (self.path) }
        }
    }

    /// The line in the table of contents.
    fn entry(&self) -> Markup {
        html! { li { a href=(format!("#{}", self.anchor())) { (self.name()) } } }
    }

    fn is_tagged(&self, tag: &str) -> bool {
        items(&self.body["tags"]).iter().any(|own| own == tag)
    }

    fn section(&self, document: &Value) -> Markup {
        html! {
            section.card id=(self.anchor()) {
                h2 { (self.name()) }
                p.lead { (field(self.body, "summary")) }
                (prose(field(self.body, "description")))
                (self.parameters(document))
                (self.request(document))
                h4 { "Responses" }
                @for (status, response) in entries(&self.body["responses"]) {
                    (response_entry(document, status, response))
                }
            }
        }
    }

    fn parameters(&self, document: &Value) -> Markup {
        let own = items(&self.item["parameters"]).iter().chain(items(&self.body["parameters"]));
        let parameters: Vec<&Value> = own.map(|parameter| resolve(document, parameter)).collect();
        html! {
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                div.scroll { table {
                    (schema::head(&["Name", "In", "Type", "Required", "Bounds", "Description"]))
                    tbody {
                        @for parameter in parameters {
                            tr {
                                td { code { (field(parameter, "name")) } }
                                td { (field(parameter, "in")) }
                                (schema::cells(&parameter["schema"], parameter["required"] == true))
                                td { (prose(field(parameter, "description"))) }
                            }
                        }
                    }
                } }
            }
        }
    }

    fn request(&self, document: &Value) -> Markup {
        let request = resolve(document, &self.body["requestBody"]);
        html! {
            @if request.is_object() {
                h4 { "Request body" }
                @for (kind, media) in entries(&request["content"]) {
                    p {
                        code { (kind) }
                        @if request["required"] == true { ", required" }
                        @if let Some(link) = schema::link(&media["schema"]) { ": " (link) }
                    }
                    (schema::table(resolve(document, &media["schema"])))
                    (examples(media))
                }
            }
        }
    }
}

/// The table of contents: the routes by tag, then the rest.
fn contents(document: &Value, operations: &[Operation<'_>]) -> Markup {
    let tags: Vec<&str> = items(&document["tags"]).iter().map(|tag| field(tag, "name")).collect();
    let untagged = |operation: &&Operation<'_>| !tags.iter().any(|tag| operation.is_tagged(tag));
    html! {
        p.brand { (field(&document["info"], "title")) }
        @for tag in &tags {
            p.tag { (tag) }
            ul {
                @for operation in operations.iter().filter(|operation| operation.is_tagged(tag)) {
                    (operation.entry())
                }
            }
        }
        @if operations.iter().any(|operation| untagged(&operation)) {
            p.tag { "other" }
            ul { @for operation in operations.iter().filter(untagged) { (operation.entry()) } }
        }
        p.tag { a href="#responses" { "Shared responses" } }
        p.tag { a href="#schemas" { "Schemas" } }
        ul {
            @for (name, _) in entries(&document["components"]["schemas"]) {
                li { a href=(format!("#{}", anchor("schema", name))) { (name) } }
            }
        }
    }
}

fn servers(document: &Value) -> Markup {
    html! {
        p.servers {
            "OpenAPI " (field(document, "openapi")) ", as "
            a href="openapi.json" { "openapi.json" }
            @for server in items(&document["servers"]) {
                " · " code { (field(server, "url")) } " " (field(server, "description"))
            }
        }
    }
}

/// A response in the list of a route. A shared one is told in short and linked.
fn response_entry(document: &Value, status: &str, response: &Value) -> Markup {
    let shared =
        response["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/responses/"));
    let class = format!("status s{}", status.chars().next().filter(char::is_ascii_digit).unwrap_or('x'));
    html! {
        div.response {
            p.head { span class=(class) { (status) } (codes(resolve(document, response))) }
            @if let Some(name) = shared {
                (prose(field(resolve(document, response), "description")))
                p { a href=(format!("#{}", anchor("response", name))) { "Headers, schema and examples" } }
            } @else {
                (response_body(document, response))
            }
        }
    }
}

/// Description, headers, schema and examples of a response.
fn response_body(document: &Value, response: &Value) -> Markup {
    html! {
        (prose(field(response, "description")))
        (headers(document, &response["headers"]))
        @for (kind, media) in entries(&response["content"]) {
            p { code { (kind) } @if let Some(link) = schema::link(&media["schema"]) { ": " (link) } }
            @if schema::link(&media["schema"]).is_none() { (schema::full(&media["schema"])) }
            (examples(media))
        }
    }
}

/// The error codes that the schema of a refusal narrows its `code` to.
fn codes(response: &Value) -> Markup {
    let media = entries(&response["content"]).map(|(_, media)| media);
    let narrowed =
        media.flat_map(|media| items(&media["schema"]["allOf"])).map(|part| &part["properties"]["code"]);
    let codes: Vec<&str> = narrowed
        .flat_map(|code| items(&code["enum"]).iter().chain(code.get("const")))
        .filter_map(Value::as_str)
        .collect();
    html! {
        @for code in codes { " " a.code href="#schema-ErrorCode" { (code) } }
    }
}

fn headers(document: &Value, headers: &Value) -> Markup {
    html! {
        @if entries(headers).next().is_some() {
            div.scroll { table {
                (schema::head(&["Header", "Type", "Required", "Bounds", "Description"]))
                tbody {
                    @for (name, header) in entries(headers) {
                        @let header = resolve(document, header);
                        tr {
                            td { code { (name) } }
                            (schema::cells(&header["schema"], header["required"] == true))
                            td { (prose(field(header, "description"))) }
                        }
                    }
                }
            } }
        }
    }
}

/// The examples of a body, folded.
fn examples(media: &Value) -> Markup {
    let named = entries(&media["examples"])
        .map(|(name, example)| (example["summary"].as_str().unwrap_or(name), &example["value"]));
    let single = media.get("example").map(|value| ("Example", value));
    html! {
        @for (summary, value) in named.chain(single) {
            details { summary { (summary) } pre { code { (json(value)) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(focus_proto::OPENAPI_JSON).expect("the document is JSON")
    }

    /// What stands between a marker and the next quotation mark, for each occurrence of the marker.
    fn quoted<'a>(page: &'a str, marker: &'a str) -> impl Iterator<Item = &'a str> {
        page.split(marker).skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn every_route_has_its_section_and_its_line_in_the_contents() {
        let document = document();
        let page = page(&document);
        let operations = operations(&document);
        assert!(operations.len() >= 9);
        for operation in operations {
            let anchor = operation.anchor();
            assert_eq!(page.matches(&format!("id=\"{anchor}\"")).count(), 1, "{anchor}");
            assert_eq!(page.matches(&format!("href=\"#{anchor}\"")).count(), 1, "{anchor}");
            assert!(page.contains(&operation.name().into_string()), "{anchor}");
        }
    }

    #[test]
    fn every_schema_and_shared_response_has_an_anchor() {
        let document = document();
        let page = page(&document);
        for (prefix, part) in [("schema", "schemas"), ("response", "responses")] {
            for (name, _) in entries(&document["components"][part]) {
                assert!(page.contains(&format!("id=\"{prefix}-{name}\"")), "{name}");
            }
        }
    }

    #[test]
    fn every_anchor_that_is_linked_exists_once() {
        let page = page(&document());
        for target in quoted(&page, "href=\"#") {
            assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
        }
    }

    #[test]
    fn every_example_and_error_code_is_shown() {
        let document = document();
        let page = page(&document);
        for code in
            items(&document["components"]["schemas"]["ErrorCode"]["enum"]).iter().filter_map(Value::as_str)
        {
            assert!(page.contains(&format!("{code}</a>")), "{code}");
        }
        let request = &document["paths"]["/configure"]["post"]["requestBody"];
        for (_, example) in entries(&request["content"]["application/json"]["examples"]) {
            let text = html! { (json(&example["value"])) }.into_string();
            assert!(page.contains(&text), "{text}");
        }
    }

    #[test]
    fn nothing_is_loaded_from_outside() {
        let page = page(&document());
        assert!(quoted(&page, "href=\"").all(|target| target.starts_with('#') || target == "openapi.json"));
        for loader in [
            "src=",
            "<link",
            "<script",
            "<img",
            "<iframe",
            "<base",
            "@import",
            "url(",
            "http-equiv",
            "srcset",
        ] {
            assert!(!page.contains(loader), "{loader}");
        }
    }

    #[test]
    fn hostile_text_is_shown_and_never_run() {
        let hostile = "<script>alert('x')</script>\"><img onerror=\"x\">";
        let document = json!({
            "openapi": hostile,
            "info": {
                "title": hostile, "version": hostile, "summary": hostile,
                "description": format!("- `{hostile}` **{hostile}**"),
            },
            "servers": [{ "url": hostile, "description": hostile }],
            "tags": [{ "name": hostile }],
            "paths": { hostile: { "get": {
                "tags": [hostile], "summary": hostile, "description": hostile,
                "parameters": [{
                    "name": hostile, "in": hostile, "description": hostile,
                    "schema": { "type": hostile, "pattern": hostile },
                }],
                "requestBody": { "content": { hostile: {
                    "schema": { "$ref": format!("#/components/schemas/{hostile}") },
                    "example": { hostile: hostile },
                } } },
                "responses": { hostile: {
                    "description": hostile,
                    "headers": { hostile: { "schema": { "const": hostile } } },
                } },
            } } },
            "components": {
                "schemas": { hostile: {
                    "type": "object", "required": [hostile],
                    "properties": { hostile: { "enum": [hostile] } },
                    "allOf": [{
                        "if": { "properties": { hostile: { "const": hostile } } },
                        "then": { "required": [hostile] },
                    }],
                } },
                "responses": { hostile: { "description": hostile } },
            },
        });
        let page = page(&document);
        for live in ["<script", "<img", "onerror=\""] {
            assert!(!page.contains(live), "{live}");
        }
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_document_without_anything_is_a_page_without_anything() {
        for document in [json!({}), json!(null), json!({ "paths": { "/x": { "get": null } } })] {
            assert!(page(&document).starts_with("<!DOCTYPE html><html lang=\"en\">"));
        }
    }
}
