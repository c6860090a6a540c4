"""Junk pages of the kinds that every crawl is full of, and copies of real pages. Each is a function of its random source."""
import html
import re

LATIN = ("lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna "
         "aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat duis aute "
         "irure in reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur sint occaecat cupidatat non "
         "proident sunt culpa qui officia deserunt mollit anim id est laborum").split()
# A word: no white space, no mark of punctuation (Python's \\w would cut Devanagari and Thai at their vowel signs).
WORD = r"[^\s<>.,;:!?…।。，！？；：、\"'()\[\]{}«»“”„‘’「」『』（）&/\\|=+*#@$%^~—–\d_-]"
KINDS = ("menu", "salad", "repeated", "lorem", "symbols", "copy", "near-copy")


def page(language, title, body):
    return ('<!DOCTYPE html>\n<html lang="%s">\n<head><meta charset="utf-8"><title>%s</title></head>\n<body>\n%s\n</body>\n</html>\n'
            % (language, html.escape(title), body)).encode()


def menu(language, words, rng):
    """Nothing but lists of links of one to three words."""
    joiner = "" if is_unspaced(language) else " "
    def link():
        label = joiner.join(rng.choice(words) for _ in range(rng.randint(1, 3)))
        return '<li><a href="/%d.html">%s</a></li>' % (rng.randrange(100000), html.escape(label))
    lists = ["<nav><ul>\n%s\n</ul></nav>" % "\n".join(link() for _ in range(rng.randint(8, 20))) for _ in range(rng.randint(2, 5))]
    return page(language, rng.choice(words), "\n".join(lists))


def salad(language, words, rng):
    """Words of the language in no order, without a mark of punctuation."""
    joiner = "" if is_unspaced(language) else " "
    count = rng.randint(150, 400)
    paragraphs = [joiner.join(rng.choice(words) for _ in range(count)) for _ in range(rng.randint(1, 3))]
    return page(language, rng.choice(words), "<article>%s</article>" % "".join("<p>%s</p>" % html.escape(p) for p in paragraphs))


def repeated(language, sentences, rng):
    """One or two sentences over and over, a paragraph each."""
    chosen = [rng.choice(sentences) for _ in range(rng.randint(1, 2))]
    lines = [chosen[i % len(chosen)] for i in range(rng.randint(30, 80))]
    return page(language, chosen[0][:30], "<article>%s</article>" % "\n".join("<p>%s</p>" % html.escape(x) for x in lines))


def lorem(language, words, rng):
    """The filler text of page templates."""
    paragraphs = []
    for index in range(rng.randint(3, 8)):
        sentences = [] if index else ["Lorem ipsum dolor sit amet, consectetur adipiscing elit."]
        for _ in range(rng.randint(3, 6)):
            chosen = [rng.choice(LATIN) for _ in range(rng.randint(8, 16))]
            sentences.append(" ".join(chosen).capitalize() + ".")
        paragraphs.append("<p>%s</p>" % " ".join(sentences))
    return page(language, "Lorem ipsum", "<article>%s</article>" % "\n".join(paragraphs))


def symbols(language, words, rng):
    """Rules, boxes, prices and codes with hardly a word between them."""
    marks = ["###", "***", "$$$", "%%%", "|||", "---", "+++", "===", "→", "■", "●", "◆", "★", "░░░", "@@@", "^^^", "~~~", "//", "\\\\", "{}", "[]"]
    lines = []
    for _ in range(rng.randint(20, 60)):
        parts = [rng.choice(marks) if rng.random() < 0.75 else str(rng.randrange(10000)) for _ in range(rng.randint(6, 20))]
        lines.append("<p>%s</p>" % html.escape(" ".join(parts)))
    return page(language, "***", "<article>%s</article>" % "\n".join(lines))


def near_copy(body, words, rng, share=0.006):
    """The page with a few words replaced, at most `share` of them: its 5-word shingles stay 90 % the same or more.
    Returns None if the page has too little text for that."""
    head, tail = body[:body.find(b"<body")], body[body.find(b"<body"):]
    text = tail.decode("utf-8")
    places = [m for m in re.finditer(WORD + r"{3,}(?=[^<>]*<)", re.sub(r"(?s)<(script|style)\b.*?</\1>", lambda m: "<" + " " * (len(m.group()) - 2) + ">", text))
              if text[m.end():m.end() + 1] != "=" and text.rfind("<", 0, m.start()) <= text.rfind(">", 0, m.start())]
    count = int(len(places) * share)
    if count < 1:
        return None
    for m in sorted(rng.sample(places, count), key=lambda m: -m.start()):
        text = text[:m.start()] + rng.choice(words)[:12] + text[m.end():]
    return head + text.encode("utf-8")


def is_unspaced(language):
    return language.split("-")[0] in ("ja", "zh", "th")


def words_of(text, language):
    """Words of a text; pieces of one to four letters where the script has no spaces."""
    if not is_unspaced(language):
        return [w for w in re.findall(WORD + "+", text) if len(w) > 1]
    runs, found = re.findall(WORD + "+", text), []
    for run in runs:
        start, step = 0, 1
        while start < len(run):
            found.append(run[start:start + step])
            start, step = start + step, step % 4 + 1
    return found


def sentences_of(text):
    """Sentences of 25 letters or more, with their end mark."""
    return [s.strip() for s in re.findall(r"[^.!?。！？।\n]{25,200}[.!?。！？।]", text)]
