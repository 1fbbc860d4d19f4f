"""Columns about persons, found by their names and their cells: they are dropped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geodata.notes import Note

# Headers that mean a person whatever the cells hold; compared in the form that _plain gives.
_PERSON_HEADER = re.compile(
    r"姓名|身份证|证件号|手机|移动电话|联系电话|联系方式|联系人|电话号码|住户|户主|业主|租户|租客|房东"
    r"|报案人|举报人|投诉人|当事人|来电人|诉求人|反映人|报警人|上报人|负责人|责任人|受害人|嫌疑人"
    r"|车牌|车主|号牌|驾驶证|银行卡|微信号|邮箱|出生日期|出生年月|户籍|籍贯|政治面貌|护照"
    r"|(?:^|_)(?:phone|mobile|cellphone|telephone|tel|e_?mail|surname|passport|ssn)(?:_|s?$)"
    r"|(?:^|_)(?:first|last|full|given|family|person|contact|officer|resident|holder)_?name(?:_|$)"
    r"|(?:^|_)(?:id_card|identity_(?:no|card|number)|(?:license|licence|number)_plate|plate_n\w*)"
    r"|(?:^|_)(?:date_of_birth|birth_?date|birthday|dob)(?:_|$)"
    r"|^(?:电话|qq|微信|wechat|性别|gender|sex|民族|年龄|contact|plate|idcard|sfz|sfzh|lxdh|sjh)$"
)
# A count of households is no household; a body's own line is no person's. Cells are still judged.
_NOT_A_PERSON = re.compile(
    r"(?:数|数量|人口|率|比|占比|合计|总计|_count|_rate)$"
    r"|值班|单位|部门|办公|机构|前台|服务电话|热线|(?:^|_)(?:duty|office|desk|hotline)(?:_|$)"
)
# Posts whose columns hold now a post, now the name of who fills it: the cells decide.
_POST_HEADER = re.compile(
    r"网格员|网格长|楼长|组长|站长|所长|主任|巡查员|采集员|管理员|经办|处理人|办理人|受理人"
    r"|(?:^|_)(?:inspector|worker|manager|chief|handler|councillor|councilor|officer|warden)(?:_|$)"
)
_NAME_HEADER = re.compile(r"^(?:name|名字|名称|人员|person)$")
_CONTACT_HEADER = re.compile(r"电话|手机|联系方式|身份证|证件号|tel|phone|mobile|id_?card|identity")

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
_WHOLE_CELL = f"^(?:{_IDENTITY}|{_MOBILE}|{_PLATE})$"
_IN_TEXT = f"{_BEFORE}(?:{_IDENTITY}|{_MOBILE}|{_PLATE}){_AFTER}"
_IDENTITY_CELL = re.compile(f"^{_IDENTITY}$")
_PLAIN_MOBILE_CELL = re.compile(r"^1[0-9]{10}$")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"

# From these shares of its filled cells on a column is about persons; below, it is only noted.
_WHOLE_SHARE, _TEXT_SHARE, _NAME_SHARE = 0.2, 0.02, 0.6
_FEWEST_CELLS = 2
# Of random codes in the form of identity numbers one in eleven has the check digit.
_TRUE_SHARE = 0.5
# Larger tables are judged by an even sample of this many rows.
_SAMPLE_ROWS = 50_000
# Numbers that follow one another this closely are serial numbers in the form of mobiles.
_SERIAL_STEP, _FEWEST_SERIAL = 1000, 5
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季"
    "裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄"
)
_PLACE_ENDINGS = frozenset(
    "区县市镇乡村街路巷社组格站里园苑城楼厦场店馆院校桥港山河湖队所局委办司厂部岗"
)
_CHINESE_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
_WESTERN_NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z.]*){1,2}")
_DISTINCT_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalColumn:
    """A column that holds personal data, and how that was seen (the key of a sentence)."""

    column: str
    reason: str
    cells: int = 0

    def as_note(self) -> Note:
        """Return the remark for a report."""
        return Note(key=self.reason, field=self.column, values={"count": self.cells})


def drop_personal(
    frame: pd.DataFrame, *, keep: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str], list[Note]]:
    """
    Return the table without its personal columns, their names, and a remark on each.

    `keep` names columns that a person mapped on purpose: their header does not condemn them, their
    cells still do. A further remark names columns that were kept although some cells are suspect.
    """
    found, suspects = find_personal(frame, keep=keep)
    names = [one.column for one in found]
    notes = [one.as_note() for one in (*found, *suspects)]
    return (frame.drop(columns=names) if names else frame), names, notes


def find_personal(
    frame: pd.DataFrame, *, keep: Collection[str] = ()
) -> tuple[list[PersonalColumn], list[PersonalColumn]]:
    """
    Find the personal columns of a table of text, and columns with only a few suspect cells.

    Looks at names of columns and at cells: 18-character identity numbers with a true check digit,
    mobile numbers, number plates, alone or inside text, and names of persons where a column of that
    kind stands beside. Tables of more than 50,000 rows are judged by an even sample.
    """
    step = max(-(-len(frame) // _SAMPLE_ROWS), 1)
    cells = {column: _filled_cells(frame[column].iloc[::step]) for column in frame.columns}
    judged = [_judge(column, cells[column], kept=column in keep) for column in frame.columns]
    found = {one.column: one for one in judged if one and one.reason != "personal.some_cells"}
    suspects = [one for one in judged if one and one.column not in found]
    if any(_is_contact(one) for one in found.values()):
        for column in set(frame.columns) - set(found) - set(keep):
            if _NAME_HEADER.match(_plain(column)) and _are_names(cells[column]):
                found[column] = PersonalColumn(column=column, reason="personal.beside")
    return [found[column] for column in frame.columns if column in found], suspects


def is_identity_number(text: str) -> bool:
    """Tell whether `text` is an 18-character identity number with a true check digit (GB 11643)."""
    if not _IDENTITY_CELL.match(text):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text[:17], strict=True))
    return _CHECK_DIGITS[total % 11] == text[17].upper()


def _filled_cells(column: pd.Series[str]) -> pa.Array:
    if not pd.api.types.is_string_dtype(column.dtype):
        return pa.array([], pa.string())
    cells = pa.array(column, pa.large_string(), from_pandas=True)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    return cells.filter(pc.not_equal(cells, ""))


def _judge(column: str, cells: pa.Array, *, kept: bool) -> PersonalColumn | None:
    header = _plain(column)
    named = _PERSON_HEADER.search(header) and not _NOT_A_PERSON.search(header)
    if named and not kept:
        return PersonalColumn(column=column, reason="personal.by_header", cells=len(cells))
    if _POST_HEADER.search(header) and _are_names(cells):
        return PersonalColumn(column=column, reason="personal.by_names", cells=len(cells))
    return _judge_cells(column, cells)


def _judge_cells(column: str, cells: pa.Array) -> PersonalColumn | None:
    in_text = int(pc.sum(pc.match_substring_regex(cells, _IN_TEXT)).as_py() or 0)
    if not in_text:
        return None
    hits = cells.filter(pc.match_substring_regex(cells, _WHOLE_CELL)).to_pylist()
    whole = _count_true(hits)
    # What has the form of a whole cell and turned out to be a code does not count inside text.
    in_text -= len(hits) - whole
    if _is_many(whole, len(cells), _WHOLE_SHARE):
        return PersonalColumn(column=column, reason="personal.by_value", cells=whole)
    if _is_many(in_text, len(cells), _TEXT_SHARE):
        return PersonalColumn(column=column, reason="personal.by_text", cells=in_text)
    if in_text:
        return PersonalColumn(column=column, reason="personal.some_cells", cells=in_text)
    return None


def _is_many(count: int, filled: int, share: float) -> bool:
    return count >= min(_FEWEST_CELLS, filled) and count >= share * filled and count > 0


def _count_true(hits: list[str]) -> int:
    identities = [hit for hit in hits if _IDENTITY_CELL.match(hit)]
    true = sum(map(is_identity_number, identities))
    if true < _TRUE_SHARE * len(identities):
        true = 0
    mobiles = [hit for hit in hits if _PLAIN_MOBILE_CELL.match(hit)]
    others = len(hits) - len(identities) - len(mobiles)
    return true + others + (0 if _are_serial(mobiles) else len(mobiles))


def _are_serial(numbers: list[str]) -> bool:
    values = sorted(map(int, set(numbers)))
    if len(values) < _FEWEST_SERIAL:
        return False
    return values[-1] - values[0] < _SERIAL_STEP * (len(values) - 1)


def _are_names(cells: pa.Array) -> bool:
    texts: list[Any] = cells.to_pylist()
    if not texts:
        return False
    chinese = sum(map(_is_chinese_name, texts))
    # "West Yorkshire Police" has the form of a name: names of persons seldom repeat so often.
    western = sum(map(bool, map(_WESTERN_NAME.fullmatch, texts)))
    if len(set(texts)) < _DISTINCT_SHARE * len(texts):
        western = 0
    return chinese + western >= _NAME_SHARE * len(texts)


def _is_chinese_name(text: str) -> bool:
    return (
        bool(_CHINESE_NAME.fullmatch(text))
        and text[0] in _SURNAMES
        and text[-1] not in _PLACE_ENDINGS
    )


def _is_contact(found: PersonalColumn) -> bool:
    by_value = found.reason == "personal.by_value"
    return by_value or bool(_CONTACT_HEADER.search(_plain(found.column)))


def _plain(header: str) -> str:
    # PhoneNumber, "phone number" and phone-number are one word.
    text = unicodedata.normalize("NFKC", header)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text)
    return re.sub(r"[\s\-_]+", "_", text.strip()).casefold()
