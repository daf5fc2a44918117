//! As much of HTML and SVG as it takes to see whether tags balance.

/// Elements without an end.
const VOID: [&str; 6] = ["!DOCTYPE", "meta", "input", "link", "img", "br"];
/// Elements whose content is not markup.
const RAW: [&str; 2] = ["script", "style"];

/// Does every element end, in the right order?
pub(crate) fn check(page: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').ok_or("a tag has no end")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if !tag.matches('"').count().is_multiple_of(2) {
            return Err(format!("quotes of <{tag}>"));
        }
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("</{name}> ends {last:?}"));
            }
            continue;
        }
        let name = tag.split([' ', '\n', '/']).next().unwrap_or_default();
        if VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        if RAW.contains(&name) {
            let close = format!("</{name}>");
            let at = rest.find(&close).ok_or(format!("<{tag}> has no end"))?;
            rest = &rest[at + close.len()..];
            continue;
        }
        open.push(name);
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} have no end")) }
}

/// The values of an attribute, in all tags.
pub(crate) fn attributes<'a>(page: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let start = format!(" {name}=\"");
    let tags = page.split('<').skip(1).filter_map(|tag| tag.split('>').next());
    tags.filter_map(move |tag| tag.split_once(&start)?.1.split('"').next())
}

/// What is inside the `script` of this id.
pub(crate) fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let start = format!("id=\"{id}\">");
    let inside = page.split_once(&start).unwrap().1;
    inside.split("</script>").next().unwrap()
}

#[test]
fn what_is_wrong_is_seen() {
    check("<p>a<br>b <svg><path d=\"M0\"/></svg></p><script>if (a < b) {}</script>").unwrap();
    for wrong in
        ["<p><b></p></b>", "<ul><li></ul>", "<p", "<p>", "</p>", "<p id=\"a></p>", "<style>"]
    {
        assert!(check(wrong).is_err(), "{wrong}");
    }
    let ids: Vec<&str> =
        attributes("<p class=\"x\" id=\"a\"><b id=\"c\">id=\"no\"</b>", "id").collect();
    assert_eq!(ids, ["a", "c"]);
}
