"""Names of columns that mean personal data: in Chinese, English, pinyin and usual abbreviations."""

from __future__ import annotations

import re
import unicodedata

from geodata.reading.traditional import simplify_header

# All are compared in the form that `plain_header` gives: lower case, words joined by "_".
_IN_CHINESE = (
    r"姓名|名字拼音|身[份分]证|证件号|证件类型|手机|移动电话|联[系络]电话|联[系络]方式|联[系络]人|电话号码|家庭电话|住宅电话"
    r"|车牌|车主|号牌|驾驶证|行驶证|银行卡|银行账号|收款账号|邮箱|电子邮件|护照|通行证号|社保号|医保号"
    r"|军官证|微信|qq号|支付宝|抖音号|出生日期|出生年月|生日|户籍|户口|户号|籍贯|政治面貌|国籍|民族|族别"
    r"|宗教信仰|信教|文化程度|婚姻状况|收入情况|血型|病史|疾病|病情|(?<!故障)诊断|健康状况|残疾|过敏史"
    r"|疫苗接种|核酸|孕产|精神障碍|犯罪记录|前科|签名|签字|手印|指纹|人脸|头像|证件照|面部|声纹|虹膜|肖像"
    r"|家庭住址|家庭地址|现住址|居住地|户籍地|住址|轨迹|设备mac|mac地址|imei|imsi|idfa|openid|unionid"
)
_ROLES = (
    r"住户|户主|业主|租户|租客|房东|报案人|举报人|投诉人|当事人|来电人|诉求人|反映人|报警人|上报人|信访人"
    r"|求助人|负责人|责任人|受害人|嫌疑人|申请人|原告|被告|证人|监护人|家长|亲属|配偶|死者|伤者|患者|病人"
    r"|违法人|行为人|被处罚人|帮扶对象|重点人员|特殊人群|矫正对象|吸毒|刑满|低保对象|留守儿童|独居老人"
)
_IN_ENGLISH = (
    r"(?:^|_)(?:phone|mobile|cellphone|telephone|tel|landline|e_?mail|surname|passport|ssn|imei|imsi"
    r"|idfa|nationality|ethnicity|ethnic|ethnic_group|religion|religious_belief|signature|fingerprint"
    r"|avatar|mugshot|biometric|(?<!fault_)diagnosis|disease|disability|blood_type|medical_history"
    r"|medical_record|health_status|vaccination|marital_status|wechat|weixin|openid|whatsapp|iban"
    r"|bank_account|bank_card|credit_card|card_holder|plaintiff|defendant|complainant|petitioner"
    r"|claimant|applicant|witness|victim|suspect|guardian|patient|tenant|landlord|householder"
    r"|next_of_kin)(?:_|s?$)"
    r"|(?:^|_)(?:first|last|full|given|family|person|contact|officer|resident|holder|owner|caller"
    r"|reporter|applicant|citizen|driver|passenger)_?name(?:_|$)"
    r"|(?:^|_)(?:id_?card|national_id|citizen_id|identity_(?:no|card|number)|id_number|plate_n\w*"
    r"|(?:license|licence|number)_?plate|driver_licen[cs]e|household_(?:no|id|number))(?:_|$)"
    r"|(?:^|_)(?:date_of_birth|birth_?date|birthday|birth_?day|birth_?year|dob)(?:_|$)"
    r"|(?:^|_)(?:home|residential|residence|private)_?(?:address|addr)(?:_|$)"
    r"|(?:^|_)(?:face|portrait|head)_?(?:photo|image|img|url|pic|id)(?:_|$)"
    r"|(?:^|_)(?:mac|mac_?addr(?:ess)?|gps_?trace|gps_?track|trajectory)(?:_|$)"
)
# Pinyin and its first letters: only those that stand for nothing of a place or a body. So not
# "jtdz" (a home's address, but also 具体地址), "dh" (a telephone, but also 栋号), "xb", "mz", "gj".
_IN_PINYIN = (
    r"^(?:xingming|shouji|shoujihao|shoujihaoma|sjh|sjhm|lxdh|lxfs|lxr|lxrxm|lxrdh|dianhua|dhhm|yddh"
    r"|jtdh|shenfenzheng|shenfenzhenghao|sfz|sfzh|sfzhm|zjhm|zjhaoma|huzhu|huzhuxingming|hzxm|huhao"
    r"|chepai|chepaihao|cph|cphm|hphm|chezhu|csrq|chushengriqi|shengri|hjdz|hjszd|huji|jtzz|xjzdz"
    r"|jiatingzhuzhi|zhuzhi|minzu|zjxy|youxiang|dzyx|weixin|weixinhao|wxh|qqhao|yhkh|yhzh|huzhaohao"
    r"|hzhm|bjr|bjrxm|bjrdh|jbrxm|tsr|tsrxm|dsr|dsrxm|sqr|sqrxm|ldrxm|ldhm|qianming|xingbie)$"
)
_ALONE = r"^(?:电话|联系|座机|qq|性别|gender|sex|race|信仰|年龄|contact|plate|idcard|本人照片)$"
_OF_SOMEBODY = re.compile("|".join((_IN_CHINESE, _ROLES, _IN_ENGLISH, _IN_PINYIN, _ALONE)))
# A count of households is no household; a body's own line is no person's. Cells are still judged.
_OF_BODIES = re.compile(
    r"(?:数|数量|户数|人数|人口|率|比|占比|合计|总计|_count|_rate|_total|_share)$"
    r"|值班|单位|部门|办公|机构|前台|服务电话|热线|服务点|设施|诊断室|接种点|接种站|患者通道"
    r"|(?:^|_)(?:duty|office|desk|hotline|facility|facilities|centre|center|point|services)(?:_|$)"
)
# Posts whose columns hold now a post, now the name of who fills it: the cells decide.
_POST = re.compile(
    r"^(?:xm|jbr)$|网格员|网格长|楼长|组长|站长|所长|主任|巡查员|采集员|管理员|经办|处理人|办理人|受理人"
    r"|(?:^|_)(?:inspector|worker|manager|chief|handler|councillor|councilor|officer|warden)(?:_|$)"
)
_NAME = re.compile(r"^(?:name|名字|名称|人员|person)$")
_CONTACT = re.compile(
    r"电话|手机|联系方式|身份证|证件号|tel|phone|mobile|id_?card|identity|sfz|sjh|lxdh"
)
_NAMED = re.compile(
    r"姓名|(?:^|_)(?:full|person|contact|owner|holder)_?name(?:_|$)|^(?:xingming|xm|lxr|hzxm)$|联系人|户主|业主|人$"
)
_DEVICE = re.compile(
    r"设备|摄像|相机|探头|传感|网关|(?:^|_)(?:device|camera|sensor|gateway)(?:_|$)"
)
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GAPS = re.compile(r"[\s\-_./\\()（）:：]+")


def plain_header(header: str) -> str:
    """Return a header as compared: PhoneNumber, "phone number" and phone-number are one."""
    text = _WORD_START.sub("_", unicodedata.normalize("NFKC", header))
    return simplify_header(_GAPS.sub("_", text.strip()).strip("_").casefold())


def means_personal(header: str) -> bool:
    """Tell whether a plain header means personal data whatever its cells hold."""
    return bool(_OF_SOMEBODY.search(header)) and not means_body(header)


def means_body(header: str) -> bool:
    """Tell whether a plain header speaks of a body, a duty line, a facility or a count."""
    return bool(_OF_BODIES.search(header))


def means_post(header: str) -> bool:
    """Tell whether a plain header names a post, so that its cells must decide."""
    return bool(_POST.search(header))


def means_name(header: str) -> bool:
    """Tell whether a plain header may stand over names, of whatever they are."""
    return bool(_NAME.search(header))


def means_contact(header: str) -> bool:
    """Tell whether a plain header means a telephone or an identity number."""
    return bool(_CONTACT.search(header))


def means_someone(header: str) -> bool:
    """Tell whether a plain header means who somebody is, and so what stands beside it too."""
    return bool(_NAMED.search(header))


def means_device(header: str) -> bool:
    """Tell whether a plain header speaks of a device of the city."""
    return bool(_DEVICE.search(header))
