//! `contacts.optional`: columns that may be empty although the agent gets them. In the templates
//! they are written `{column|}`, so that import, dial and preview go by one rule and need no
//! second list.

use std::collections::BTreeMap;

use ringfence_domain::template::Template;

use crate::Mistake;
use crate::section::{Placed, Section, closest};

pub(super) fn apply(root: &Section<'_>, optional: &[Placed<String>], templates: [&mut BTreeMap<String, Template>; 3]) {
    let used: Vec<&str> = templates.iter().flat_map(|of| of.values()).flat_map(Template::columns).collect();
    for name in optional.iter().filter(|name| !used.contains(&name.value.as_str())) {
        let mistake = Mistake::new(name.at.clone(), format!("no variable takes the column `{}`", name.value));
        let hint = closest(&name.value, used.iter().copied())
            .map_or("leave it out of optional".to_owned(), |close| format!("did you mean `{close}`?"));
        root.found().add(mistake.hint(hint));
    }
    let names: Vec<String> = optional.iter().map(|name| name.value.clone()).collect();
    for template in templates.into_iter().flat_map(BTreeMap::values_mut) {
        *template = template.with_optional(&names);
    }
}
