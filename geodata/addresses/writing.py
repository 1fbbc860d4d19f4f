"""One way of writing for an address: half-width, Arabic numbers, no punctuation, no tail."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5,
    "陆": 6, "柒": 7, "捌": 8, "玖": 9,
}  # fmt: skip
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_NUMERAL = "".join((*_DIGITS, *_UNITS))
_NUMERALS = frozenset(_NUMERAL)
# Only before a word that counts something: 三元路 and 五一村 keep their names.
_COUNTED = re.compile(rf"([{_NUMERAL}]+)(?=号|栋|幢|座|单元|弄|室|楼|层|组|队|支弄|[-—之]\d)")
_FOLLOWS = re.compile(rf"(?<=[\d号][-—之])([{_NUMERAL}]+)")
_DASHES = str.maketrans({"—": "-", "–": "-", "－": "-", "―": "-", "~": "-", "之": "-"})
_DASHED = frozenset("-—–－―~之")
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[—–－―~之](?=\d)|(?<=号)[—–－―之](?=\d)")
_REMARK = re.compile(r"[(（【\[].*?[)）】\]]")
_NOISE = re.compile(r"[\s,，.。、;；:：\"'“”‘’·]+")
_ASIDE = r"(?:东|西|南|北|东南|西南|东北|西北)?(?:侧|面|边|头|角|方向)"
# Where beside it something lies: it does not change which address is meant.
_TAIL = re.compile(
    rf"(?:{_ASIDE}|附近|旁边?|对面|门口|门前|路边|边上|周边|处|内|院内|楼下|后面|前面)?"
    r"(?:约?\d+(?:\.\d+)?(?:米|m)(?:处|左右)?)?"
    rf"(?:{_ASIDE}|附近|旁边?|对面|门口|门前|路边|边上|周边|处|院内|楼下)*$"
)
# The last signs of all that it matches.
_TAIL_ENDS = frozenset("东西南北侧面边头角向近旁对门口前处内上下围后米m右")


def normalise(text: str) -> str:
    """
    Return an address in one way of writing; "" for one without a letter.

    Full-width signs become half-width, remarks in brackets go, Chinese numerals that count
    something become digits (一百二十八号 is 128号), and words at the end that only say beside,
    opposite or some metres off go too.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if "(" in plain or "【" in plain or "[" in plain:
        plain = _REMARK.sub("", plain)
    plain = _NOISE.sub("", plain)
    # Most texts have neither: a look at their signs costs a tenth of the patterns.
    if not _NUMERALS.isdisjoint(plain):
        plain = _COUNTED.sub(_to_number, plain)
    if not _DASHED.isdisjoint(plain):
        plain = _BETWEEN_NUMBERS.sub("-", plain)
        plain = _FOLLOWS.sub(_to_number, plain)
    return cut_tail(plain).casefold()


def cut_tail(text: str) -> str:
    """Return an address without the words at its end that only say beside, opposite, metres off."""
    if text[-1:] not in _TAIL_ENDS:
        return text
    found = _TAIL.search(text)
    return text[: found.start()] if found and found.start() > 1 else text


def read_numeral(text: str) -> int:
    """Return the number that Chinese numerals say: 一百二十八, 十二 or 一二八 (128)."""
    if not any(sign in _UNITS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, digit = 0, 0
    for sign in text:
        if sign in _UNITS:
            total += (digit or 1) * _UNITS[sign]
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit


def _to_number(found: re.Match[str]) -> str:
    return str(read_numeral(found[1]))
