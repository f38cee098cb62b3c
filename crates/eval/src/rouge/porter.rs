//! Porter's stemmer with the extensions that NLTK has switched on by default, which differ from Porter's own and from
//! Snowball's English in words such as `dying`, `enjoy` and `flies`.

/// Words that the rules would stem wrongly.
const IRREGULAR: &[(&str, &str)] = &[
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Suffixes and what takes their place after a stem of measure 1 and more; the first that fits decides.
const STEP_2: &[(&str, &str)] = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

const STEP_3: &[(&str, &str)] = &[
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

/// Suffixes that go after a stem of measure 2 and more; `ion` only after `s` or `t`.
const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
];

/// The stem of a word of ASCII lower-case letters and digits.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_string();
    }
    if word.len() <= 2 {
        return word.to_string();
    }
    let word = past_tense(plural(word.to_string()));
    let word = y_to_i(word);
    let word = long_suffix(word);
    let word = replace(word, STEP_3, |stem| measure(stem) > 0);
    final_e(last_suffix(word))
}

/// Step 1a.
fn plural(word: String) -> String {
    if word.len() == 4 && word.ends_with("ies") {
        return with(&word, "s", "");
    }
    replace(word, &[("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")], |_| true)
}

/// Step 1b.
fn past_tense(word: String) -> String {
    if word.ends_with("ied") {
        return if word.len() == 4 { with(&word, "d", "") } else { with(&word, "ed", "") };
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { with(&word, "d", "") } else { word };
    }
    let bare = ["ed", "ing"].iter().filter_map(|suffix| word.strip_suffix(suffix));
    let Some(bare) = bare.into_iter().find(|stem| has_vowel(stem)) else { return word };
    if ["at", "bl", "iz"].iter().any(|end| bare.ends_with(end)) {
        return format!("{bare}e");
    }
    let last = bare.chars().next_back().unwrap_or_default();
    if ends_in_double_consonant(bare) {
        let keeps_both = ['l', 's', 'z'].contains(&last);
        return bare.get(..bare.len() - usize::from(!keeps_both)).unwrap_or(bare).to_string();
    }
    if measure(bare) == 1 && ends_short(bare) { format!("{bare}e") } else { bare.to_string() }
}

/// Step 1c: after a consonant that is not the whole stem.
fn y_to_i(word: String) -> String {
    replace(word, &[("y", "i")], |stem| stem.len() > 1 && consonants(stem).last() == Some(&true))
}

/// Step 2.
fn long_suffix(word: String) -> String {
    if word.strip_suffix("alli").is_some_and(|stem| measure(stem) > 0) {
        return long_suffix(with(&word, "alli", "al"));
    }
    if STEP_2.iter().any(|(suffix, _)| word.ends_with(suffix)) {
        return replace(word, STEP_2, |stem| measure(stem) > 0);
    }
    match word.strip_suffix("ogi").filter(|stem| stem.ends_with('l') && measure(stem) > 0) {
        Some(_) => with(&word, "i", ""),
        None => word,
    }
}

/// Step 4.
fn last_suffix(word: String) -> String {
    let Some(suffix) = STEP_4.iter().find(|suffix| word.ends_with(**suffix)) else { return word };
    let stem = word.strip_suffix(suffix).unwrap_or_default();
    let fits = *suffix != "ion" || stem.ends_with(['s', 't']);
    if measure(stem) > 1 && fits { stem.to_string() } else { word }
}

/// Steps 5a and 5b.
fn final_e(word: String) -> String {
    let without = word.strip_suffix('e');
    let goes = |stem: &&str| measure(stem) > 1 || (measure(stem) == 1 && !ends_short(stem));
    let word = without.filter(goes).map_or(word.clone(), String::from);
    match word.strip_suffix('l').filter(|stem| stem.ends_with('l') && measure(stem) > 1) {
        Some(stem) => stem.to_string(),
        None => word,
    }
}

/// The word with the first suffix that fits replaced, where its stem allows that.
fn replace(word: String, rules: &[(&str, &str)], allows: impl Fn(&str) -> bool) -> String {
    let fits = rules.iter().find_map(|(suffix, by)| Some((word.strip_suffix(suffix)?, by)));
    match fits {
        Some((stem, by)) if allows(stem) => format!("{stem}{by}"),
        _ => word,
    }
}

fn with(word: &str, suffix: &str, by: &str) -> String {
    format!("{}{by}", word.strip_suffix(suffix).unwrap_or(word))
}

/// Which letters are consonants: all but vowels, and `y` unless it follows a consonant.
fn consonants(stem: &str) -> Vec<bool> {
    let mut found: Vec<bool> = Vec::with_capacity(stem.len());
    for c in stem.chars() {
        let is_consonant = match c {
            'a' | 'e' | 'i' | 'o' | 'u' => false,
            'y' => found.last().is_none_or(|before| !before),
            _ => true,
        };
        found.push(is_consonant);
    }
    found
}

/// Porter's measure: how often a consonant follows a vowel.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| matches!(pair, [false, true])).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_in_double_consonant(word: &str) -> bool {
    matches!(word.as_bytes(), [.., a, b] if a == b) && consonants(word).last() == Some(&true)
}

/// Whether a word ends consonant, vowel, consonant other than `w`, `x`, `y`; or is a vowel and a consonant.
fn ends_short(word: &str) -> bool {
    match consonants(word).as_slice() {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::stem;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn stems_of_5000_words_equal_those_of_nltk() {
        let mut file = String::new();
        let bytes: &[u8] = include_bytes!("../../tests/golden/stems.txt.gz");
        GzDecoder::new(bytes).read_to_string(&mut file).unwrap();
        let pairs: Vec<(&str, &str)> = file.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(pairs.len(), 5000);
        for (word, expected) in pairs {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
