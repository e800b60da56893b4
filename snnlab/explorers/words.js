// What an explorer says, in the reader's language. host.py fills WORDS, English text -> its twin; English needs none.

const WORDS = {};

// A text, its {names} replaced by what is given for them; a name without a value stays for another to replace.
const say = (english, given = {}) => (WORDS[english] ?? english).replace(/{(\w+)}/g, (name, key) => (key in given ? given[key] : name));

// Sentences one after the other; empty ones are left out.
const together = (...sentences) => sentences.filter(Boolean).reduce((first, next) => say("{first} {next}", { first, next }));
