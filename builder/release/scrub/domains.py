"""Domains: the endings that make a word with a dot an address. Embedded, never fetched.

Source: IANA's country codes, and the generic endings seen in posts.
"""

from __future__ import annotations

import re

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
TLD = rf"(?:{'|'.join(TLDS)})(?![\w-])"
SURE = rf"(?!(?:{_AMBIGUOUS})(?![\w-])){TLD}"
STRONG_WORDS = "(?:com|net|org|ec)"  # a spaced dot is trusted only before these
SPOKEN_WORDS = "(?:com|net|org|ec|br|gob|gov|edu|info|tv|app)"
POINT = "p(?:u|o)nto"  # as said in Spanish and Portuguese
LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
AT_HINT = r"(?i)@|arroba|[(\[{]\s?at\s?[)\]}]"  # every finder of at-signs needs one of these
NAME = r"[\w.]*\w"
has_at = re.compile(AT_HINT).search
