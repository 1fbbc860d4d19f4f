"""Twenty kinds of personal data, all made up: headers that mean them and cells that are them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """One kind: headers in Chinese, English, pinyin; cells; whether cells alone give it away."""

    kind: str
    headers: tuple[str, ...]
    cells: tuple[str, ...]
    alone: bool = False  # under a header that says nothing
    beside: bool = False  # under such a header, beside a column of names


def with_check_digit(seventeen: str) -> str:
    """Return an identity number with the check digit of GB 11643."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, seventeen, strict=True))
    return seventeen + "10X98765432"[total % 11]


def with_luhn(digits: str) -> str:
    """Return a card number with its check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


NAMES = ("欧阳景明", "司徒婉清", "诸葛志远", "上官秋雨", "慕容建华", "皇甫若水")
KINDS = (
    Personal(
        kind="name",
        headers=("姓名", "报案人姓名", "FullName", "xingming", "lxrxm", "contact_name"),
        cells=NAMES,
    ),
    Personal(
        kind="mobile",
        headers=("手机号码", "联系电话", "Mobile", "sjh", "lxdh", "cellphone"),
        cells=(
            "13800138017",
            "18670091234",
            "15952221907",
            "13390110203",
            "17761827364",
            "19912345607",
        ),
        alone=True,
    ),
    Personal(
        kind="landline of somebody",
        headers=("家庭电话", "座机", "landline", "jtdh", "telephone"),
        cells=(
            "0514-86551234",
            "010-62771301",
            "021-54771902",
            "0514-87221903",
            "025-83331904",
            "020-38881905",
        ),
        beside=True,
    ),
    Personal(
        kind="identity number",
        headers=("身份证号", "证件号码", "ID_Card", "sfzh", "zjhm", "identity number"),
        cells=tuple(with_check_digit(f"3210881980{m:02d}15{m}71") for m in range(1, 7)),
        alone=True,
    ),
    Personal(
        kind="passport",
        headers=("护照号", "通行证号码", "passport_no", "huzhaohao"),
        cells=("E71820394", "G28471905", "EA4719283", "E10394857", "G99182736", "EB5550182"),
        beside=True,
    ),
    Personal(
        kind="number plate",
        headers=("车牌号", "号牌号码", "license_plate", "cphm", "PlateNo"),
        cells=("苏A12345", "苏B67D89", "京N8P8F8", "沪C5K216", "浙D90812", "苏KD12345"),
        alone=True,
    ),
    Personal(
        kind="household number",
        headers=("户号", "户口簿号", "household_no", "huhao"),
        cells=("HK20938471", "HK58172639", "HK19283746", "HK77261534", "HK40918273", "HK66554433"),
    ),
    Personal(
        kind="e-mail",
        headers=("邮箱", "电子邮件地址", "e-mail", "dzyx", "EmailAddress"),
        cells=tuple(
            f"{name}@mail.example.cn"
            for name in ("jing.ming", "wanqing_7", "zhiyuan", "q.yu", "murong", "ruoshui")
        ),
        alone=True,
    ),
    Personal(
        kind="birth date",
        headers=("出生日期", "生日", "date_of_birth", "DOB", "csrq", "BirthDate"),
        cells=("1971-03-14", "1988-07-02", "1993-11-29", "1954-01-08", "2001-05-17", "1966-10-23"),
    ),
    Personal(
        kind="face",
        headers=("人脸照片", "头像", "face_url", "avatar", "证件照", "head_image"),
        cells=tuple(f"https://img.example.cn/face/{n}a7c.jpg" for n in range(71, 77)),
        alone=True,
    ),
    Personal(
        kind="WeChat",
        headers=("微信号", "QQ号", "WeChat", "wxh", "openid"),
        cells=tuple(f"wxid_{n}k2m9q7" for n in ("ab", "cd", "ef", "gh", "ij", "kl")),
        alone=True,
    ),
    Personal(
        kind="bank card",
        headers=("银行卡号", "收款账号", "bank_card", "yhkh", "bank account"),
        cells=tuple(with_luhn(f"621700123456{n}") for n in range(784501, 784507)),
        alone=True,
    ),
    Personal(
        kind="home",
        headers=("家庭住址", "现住址", "home_address", "jtzz", "hjdz"),
        cells=tuple(f"临江新村{n}栋{n}单元{n}02室" for n in range(3, 9)),
        beside=True,
    ),
    Personal(
        kind="radio of a telephone",
        headers=("手机MAC地址", "IMEI", "mac_address", "IMSI"),
        cells=tuple(f"9c:4e:36:a1:7b:{n:02x}" for n in range(17, 23)),
        alone=True,
    ),
    Personal(
        kind="trace",
        headers=("巡查轨迹", "人员轨迹", "gps_trace", "trajectory"),
        cells=tuple(
            f"120.00{n}1 32.5271;120.00{n}2 32.5272;120.00{n}3 32.5273" for n in range(1, 7)
        ),
    ),
    Personal(
        kind="people",
        headers=("民族", "国籍", "ethnicity", "Nationality", "minzu"),
        cells=("维吾尔族", "哈萨克族", "鄂伦春族", "土家族", "布依族", "塔吉克族"),
        alone=True,
    ),
    Personal(
        kind="health",
        headers=("病史", "健康状况", "残疾等级", "health_status", "diagnosis", "blood_type"),
        cells=("二型糖尿病在册", "肺结核随访", "精神二级", "高血压三级", "孕二十八周", "乙肝携带"),
    ),
    Personal(
        kind="religion",
        headers=("宗教信仰", "信教情况", "religion", "zjxy"),
        cells=("信奉甲教", "信奉乙教", "信奉丙教", "信奉丁教", "信奉戊教", "信奉己教"),
    ),
    Personal(
        kind="signature",
        headers=("签名", "电子签字", "signature", "qianming"),
        cells=tuple(f"data:image/png;base64,iVBORw0KGgo{n}SIGN" for n in range(41, 47)),
    ),
    Personal(
        kind="party of a case",
        headers=("当事人", "被申请人", "plaintiff", "Defendant", "dsrxm", "原告"),
        cells=tuple(f"{name}等人" for name in NAMES),
    ),
)
