"""Cells that are personal data whatever their column is called, or beside a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

# A digit or letter beside it makes a number part of a longer code, a point a fraction.
_BEFORE, _AFTER = r"(?:^|[^0-9A-Za-z.])", r"(?:$|[^0-9A-Za-z])"
_IDENTITY = (
    r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
)
_MOBILE = r"(?:(?:\+|00)?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{4}){2}"
_PLATE = (
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][· -]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
)
_MAIL = r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,12}"
_WECHAT = r"wxid_[0-9a-z]{6,30}"
_PARTS = f"(?:{_IDENTITY}|{_MOBILE}|{_PLATE}|{_MAIL}|{_WECHAT})"
WHOLE_CELL, IN_TEXT = f"^{_PARTS}$", f"{_BEFORE}{_PARTS}{_AFTER}"

_IDENTITY_CELL = re.compile(f"^{_IDENTITY}$")
_PLAIN_MOBILE_CELL = re.compile(r"^1[0-9]{10}$")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
# Of random codes in the form of identity numbers one in eleven has the check digit.
_TRUE_SHARE = 0.5
# Numbers that follow one another this closely are serial numbers in the form of mobiles.
_SERIAL_STEP, _FEWEST_SERIAL = 1000, 5

_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季"
    "裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄"
)
_TWO_SIGNS = ("诸葛", "上官", "慕容", "皇甫", "尉迟", "长孙", "宇文", "轩辕", "令狐", "夏侯")
_PLACE_ENDINGS = frozenset(
    "区县市镇乡村街路巷社组格站里园苑城楼厦场店馆院校桥港山河湖队所局委办司厂部岗"
)
_CHINESE_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
_WESTERN_NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z.]*){1,2}")
_DISTINCT_SHARE, _NAME_SHARE = 0.5, 0.6

_PEOPLES = re.compile(
    "(?:汉|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水"
    "|东乡|纳西|景颇|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克"
    "|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺)族"
)
_SEXES = frozenset({"男", "女", "男性", "女性", "未知", "male", "female"})
_FACE_ADDRESS = re.compile(
    r"(?:https?:)?//\S*(?:face|avatar|portrait|headimg|head_img|touxiang|renlian|mugshot|idcard|qlogo)\S*",
    re.IGNORECASE,
)
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
_LANDLINE = re.compile(r"^(?:(?:\+|00)?86[- ]?)?[(（]?0[1-9][0-9]{1,2}[)）]?[- ]?[2-8][0-9]{6,7}$")
_ROOM = re.compile(
    r"[0-9一二三四五六七八九十甲乙丙丁]+(?:室|户|单元)(?:[0-9]+室?)?$|\d+-\d+-\d{3,4}$"
)
_TRAVEL_PAPER = re.compile(r"(?:[EeGgDdSsPpHh][0-9]{8}|[Ee][A-Za-z][0-9]{7})")
# Issuers' numbers of Chinese bank cards that are no division of the country as well.
_BANK_CARD = re.compile(r"62(?:1[3-9]|2[0-8]|3[2-9]|[4-9][0-9])[0-9]{12}(?:[0-9]{3})?")


def is_identity_number(text: str) -> bool:
    """Tell whether `text` is an 18-character identity number with a true check digit (GB 11643)."""
    if not _IDENTITY_CELL.match(text):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text[:17], strict=True))
    return _CHECK_DIGITS[total % 11] == text[17].upper()


def count_personal(hits: Sequence[str]) -> int:
    """Count cells that match WHOLE_CELL and are no codes or serial numbers in that form."""
    identities = [hit for hit in hits if _IDENTITY_CELL.match(hit)]
    true = sum(map(is_identity_number, identities))
    if true < _TRUE_SHARE * len(identities):
        true = 0
    mobiles = [hit for hit in hits if _PLAIN_MOBILE_CELL.match(hit)]
    others = len(hits) - len(identities) - len(mobiles)
    return true + others + (0 if _are_serial(mobiles) else len(mobiles))


def are_names(texts: Sequence[str]) -> bool:
    """Tell whether most cells are names of somebody, Chinese or Western."""
    if not texts:
        return False
    chinese = sum(map(_is_chinese_name, texts))
    # "West Yorkshire Police" has the form of a name: names of persons seldom repeat so often.
    western = sum(map(bool, map(_WESTERN_NAME.fullmatch, texts)))
    if len(set(texts)) < _DISTINCT_SHARE * len(texts):
        western = 0
    return chinese + western >= _NAME_SHARE * len(texts)


def count_traits(texts: Sequence[str], *, of_device: bool) -> int:
    """
    Count cells where all of a column say what somebody is: sex, people, face, card, own device.

    Returns 0 unless nearly all of them do: each alone has also other meanings. `of_device` says
    that the column speaks of the city's own devices, whose addresses are theirs.
    """
    tests: list[Callable[[str], object]] = [
        _PEOPLES.fullmatch,
        _FACE_ADDRESS.fullmatch,
        _is_bank_card,
    ]
    tests += [] if of_device else [_MAC.fullmatch]
    if len(set(texts)) > 1:
        tests.append(lambda text: text.casefold() in _SEXES)
    for test in tests:
        found = sum(map(bool, map(test, texts)))
        if found and found >= 0.9 * len(texts):
            return found
    return 0


def are_somebodys(texts: Sequence[str]) -> bool:
    """Tell whether most cells, standing beside a name, are its telephone, room or passport."""
    least = max(_NAME_SHARE * len(texts), 1)
    for pattern in (_LANDLINE, _ROOM):
        if sum(map(bool, map(pattern.search, texts))) >= least:
            return True
    passports = [text for text in texts if _TRAVEL_PAPER.fullmatch(text)]
    if len(passports) < max(least, _FEWEST_SERIAL):
        return False
    return not _are_serial([re.sub("[^0-9]", "", text) for text in passports])


def _is_chinese_name(text: str) -> bool:
    return (
        bool(_CHINESE_NAME.fullmatch(text))
        and (text[0] in _SURNAMES or text.startswith(_TWO_SIGNS))
        and text[-1] not in _PLACE_ENDINGS
    )


def _are_serial(numbers: list[str]) -> bool:
    values = sorted(map(int, set(numbers)))
    if len(values) < _FEWEST_SERIAL:
        return False
    return values[-1] - values[0] < _SERIAL_STEP * (len(values) - 1)


def _is_bank_card(text: str) -> bool:
    plain = text.replace(" ", "")
    return bool(_BANK_CARD.fullmatch(plain)) and _passes_luhn(plain)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
