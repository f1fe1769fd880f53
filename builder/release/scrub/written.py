"""What written identifiers look like: e-mails, links, handles, plates, known usernames.

Every finder takes the plain view made by `builder.release.scrub.fold` and yields (kind, start, end)
triples, which may overlap. No language model, no file, no network. The ``*_HINT`` patterns are what
a finder needs at the least; the vectorised gate of `scrub.scrubber` is made of them, so
they keep to what Python's and Rust's regular expressions share (no look-around).

Sources: plates, Agencia Nacional de Tránsito: three letters, the first the province (all but D and
F), and three or four figures; motorbikes two letters, three figures, one letter. Top-level
domains: IANA's country codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

Found = tuple[str, int, int]  # kind, start, end in the view

# Country codes and the generic endings seen in Spanish-language posts; embedded, never fetched.
TLDS = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br "
    "bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz "
    "ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw "
    "gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw "
    "ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu "
    "mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt "
    "pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc "
    "td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws "
    "ye yt za zm zw com net org edu gov gob mil int info biz name pro mobi tel cat asia xyz top "
    "site online website store shop club live news blog app dev page web link click lat social "
    "media tech cloud space fun vip world today life digital studio video chat bio one lol "
    "wiki agency "
).split()

_AMBIGUOUS = "al|de|do|la|no|se|si|so|su|va|ve|ir|ni|is|it|in|to|at|be|as|am"  # also words
_TLD = rf"(?:{'|'.join(TLDS)})(?![\w-])"
_SURE = rf"(?!(?:{_AMBIGUOUS})(?![\w-])){_TLD}"
_STRONG_WORDS = "(?:com|net|org|ec)"  # a spaced dot is trusted only before these
_STRONG = rf"{_STRONG_WORDS}(?![\w-])"
_SPOKEN_WORDS = "(?:com|net|org|ec|gob|edu|info|tv|app)"
_SPOKEN_TLD = rf"{_SPOKEN_WORDS}(?![\w-])"
_PATH = r"(?:[:/?#][^\s\x01<>\"']*)?"
_END = r"(?<![.,;:!?)\]'])"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
URL = re.compile(
    rf"(?:h(?:tt|xx)ps?|ftp)\s?:\s?/\s?/\s?[^\s\x01<>\"']+{_END}|www\s?\.\s?[^\s\x01<>\"']+{_END}"
    rf"|(?<![\w@.-])(?:{_LABEL}\.)+{_SURE}{_PATH}{_END}"
    rf"|(?<![\w@.-])(?:{_LABEL}\.){{2,}}{_TLD}{_PATH}{_END}"
    rf"|(?<![\w@.-])(?:{_LABEL}\.)+{_TLD}/[^\s\x01<>\"']*{_END}"
    rf"|(?<![\w@.-]){_LABEL}(?:\s{{0,2}}\.\s{{0,2}}{_LABEL}){{0,2}}?\s{{0,2}}\.\s{{0,2}}{_STRONG}"
    rf"(?:\s{{0,2}}\.\s{{0,2}}ec(?!\w))?(?:\s?/\s?[^\s\x01]*)?{_END}"
    rf"|(?<![\w@.-]){_LABEL}(?:\s+punto\s+{_LABEL}){{0,3}}?\s+punto\s+{_SPOKEN_TLD}"
    rf"(?:\s+punto\s+ec(?!\w))?",
    re.IGNORECASE,
)
_AT = r"\s{0,3}(?:@|[(\[{]\s?(?:at|arroba)\s?[)\]}]|(?<!\w)arroba(?!\w))\s{0,3}"
_DOT = r"\s{0,3}(?:\.|(?<!\w)punto(?!\w)|[(\[{]\s?(?:dot|punto)\s?[)\]}])\s{0,3}"
AT_HINT = r"(?i)@|arroba|[(\[{]\s?at\s?[)\]}]"  # every finder of at-signs needs one of these
DOT_HINT = (
    rf"(?i):\s?/\s?/|www\s?\.|\S\.[a-z][a-z]|\.\s{{0,2}}{_STRONG_WORDS}(?:[^a-z]|$)"
    rf"|punto\s+{_SPOKEN_WORDS}(?:[^a-z]|$)"
)
_JOIN = r"(?:\s\.\s|\s+(?:punto|gui[oó]n(?:\s+(?:bajo|medio))?|underscore)\s+)"
_PROVIDER = r"(?:gmail|hotmail|yahoo|outlook|icloud|live|proton(?:mail)?|msn)(?!\w)"
EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![\w.+%-])[\w.+%-]+(?:{_JOIN}[\w.+%-]+){{0,3}}(?:\s+\x02?\d+|\s+\w(?!\w)){{0,10}}{_AT}"
    rf"(?:[\w-]+(?:{_DOT}[\w-]+){{0,2}}?{_DOT}{_TLD}(?:{_DOT}(?:ec|co|mx|ar|pe)(?!\w))?"
    rf"|{_PROVIDER})",
    re.IGNORECASE,
)
_NAME = r"[\w.]*\w"
# A username as a whole token: dots inside, never at its ends, where they are punctuation.
TOKEN = r"[A-Za-z0-9_]+(?:\.+[A-Za-z0-9_]+)*"
_NAMED = re.compile(rf"(?<![#\w]){TOKEN}(?!\w)")  # a hashtag is no username
_CUE = (
    r"(?:sigue(?:me|nos|lo|la)?|sigan(?:me|nos)?|usuari[oa]|cuenta|perfil|tik\s?tok|instagram|"
    r"insta|ig|twitter)"
)
HANDLE = re.compile(
    rf"(?<![\w@.])@+(?P<a>{_NAME})|(?<=\w)@(?P<b>(?=\w[\w.]{{2}}){_NAME})|(?<=\.)@(?P<f>{_NAME})"
    rf"|(?<![\w@])@\s{{1,3}}(?P<c>(?=[^\W\d][\w.]*[\d_]|[^\W\d]\w*\.\w){_NAME})"
    rf"|(?<!\w){_CUE}(?:\s+como)?\s*:?\s*@\s{{1,3}}(?P<d>[^\W\d]\w{_NAME})"
    r"|(?<!una )(?<!cada )(?<!media )(?<!\d )(?<!por )(?<!la )(?<!\w)arroba\s+"
    r"(?P<e>(?!(?:de|del|en|y|o|es|a|la|el|que|con|por|para)(?!\w))[\w.]*\w"
    rf"(?:\s+(?:punto|gui[oó]n\s+bajo|underscore)\s+{_NAME}){{0,3}})",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"(?<![^\W_])(?<!#)(?P<let>[A-Z]{3})(?P<gap>\s?-\s?|\s{0,2})(?P<num>\d{3,4})(?![^\W_])"
    r"|(?<![^\W_])(?<!#)(?P<mlet>[A-Z]{2})(?P<mgap>(?:\s?-\s?|\s{0,2}))\d{3}(?:\s?-\s?|\s{0,2})[A-Z]"
    r"(?![^\W_])",
    re.IGNORECASE,
)
PLATE_HINT = (  # every plate needs one of these
    r"[A-Z]{3}\s{0,2}[0-9]{3}|[A-Za-z]{3}(?:\s?-\s?)?[0-9]{3}|[Pp][Ll][Aa][Cc][Aa]"
    r"|[A-Z]{2}(?:\s?-\s?|\s{0,2})[0-9]{3}(?:\s?-\s?|\s{0,2})[A-Z]"
)
IBAN_HINT = "[A-Za-z]{2}[0-9]{2}"
_CAPITALS_BEFORE = re.compile(r"[A-Z]{2,}[^\w\x01]+$")
_CAPITALS_AFTER = re.compile(r"[^\w\x01]+[A-Z]{2,}")
_PLATE_CUE = re.compile(r"placas?(?!\w)[^\d\x01]{0,25}$", re.IGNORECASE)
# After "placa", a plate may be spelled out: "placa P B C 1 2 3 4", or said in figures.
_SPELLED = re.compile(
    r"placas?(?!\w)[^\d\x01]{0,25}?(?<![^\W_])(?P<plate>[ABCEG-Z](?:[\s.\-]?[A-Z]){2}"
    r"[\s.\-\x02]{0,3}\d(?:[\s.\-\x02]{0,2}\d){2,3})(?![^\W_])",
    re.IGNORECASE,
)
_NOT_PLATES = frozenset(
    "ECU COP USD EUR ISO UTC GMT CNN BBC ONU IVA SRI CNE FBI CIA DEA UFC NBA NFL MLB ANT AMT ATM "
    "UPC GYE UIO BMW PSC PIB WTI TEL CEL SMS SOS VIH LEY ART ANO MIL DIA RUC LOS LAS UNA UNO DOS "
    "SON HAY POR CON SIN QUE MAS FUE VAN HAN ERA SUS MIS TUS NOS LES ESO ESA ESE VER IBA OJO PAZ "
    "LUZ REY MES ENE MAR ABR MAY JUN JUL AGO SEP OCT NOV THE AND HOY MUY TAN ASI AUN RTX GTX PBX "
    "VAR API AIR BUS TOP VOL NRO NUM PAG CAP KIT".split()
)


def find_plates(text: str) -> Iterator[Found]:
    """Yield plates; a spaced one must be in capitals, not shouted, no year, or follow "placa"."""
    for match in _PLATE.finditer(text):
        before = text[max(0, match.start() - 35) : match.start()]
        cued = bool(_PLATE_CUE.search(before))
        letters = match["let"] or match["mlet"]
        if letters[0].upper() in "DF" or letters.upper() in _NOT_PLATES:
            continue
        if not cued and match["mlet"] and not match.group().isupper():
            continue
        year = match["let"] and re.fullmatch(r"(?:19|20)\d\d", match["num"])
        if not cued and year and not letters.isupper():
            continue
        if not cued and match["let"] and match["gap"].isspace():
            shouted = _CAPITALS_BEFORE.search(before) or _CAPITALS_AFTER.match(text, match.end())
            if year or shouted or not letters.isupper():
                continue
        yield "plate", *match.span()
    for match in _SPELLED.finditer(text):
        yield "plate", *match.span("plate")


def find_emails(text: str) -> Iterator[Found]:
    """Yield e-mail addresses, written or spelled out ("ana arroba gmail punto com")."""
    return (("email", *match.span()) for match in EMAIL.finditer(text))


def find_urls(text: str) -> Iterator[Found]:
    """Yield links and bare domains, written, spaced or spoken ("miblog punto com punto ec")."""
    return (("url", *match.span()) for match in URL.finditer(text))


def find_handles(text: str, allowed: Set[str]) -> Iterator[Found]:
    """Yield @handles whose lower-case name is not in `allowed`."""
    for match in HANDLE.finditer(text):
        if match[match.lastgroup or 0].lower() not in allowed:
            start = match.start() if match["d"] is None else text.index("@", match.start())
            yield "handle", start, match.end()  # without the word that made a spaced @ plain


def find_usernames(text: str, usernames: Set[str]) -> Iterator[Found]:
    """Yield whole tokens equal, ignoring case, to one of `usernames` (already lower-case)."""
    for match in _NAMED.finditer(text):
        if match.group().lower() in usernames:
            yield "username", *match.span()
