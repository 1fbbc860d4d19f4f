"""Names that read well: towns, communities, roads, places. All made up or common to many cities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PERSONS_PER_HOUSEHOLD = 2.6

URBAN_STREETS: tuple[str, ...] = (
    "龙川街道", "望江街道", "文峰街道", "引江街道", "玉带街道", "舜天街道", "双桥街道", "通济街道",
    "新都街道", "桃园街道", "锦湖街道", "卧虹街道",
)  # fmt: skip
MORE_STREETS: tuple[str, ...] = (
    "文昌街道", "春江街道", "长安街道", "和平街道", "光明街道", "泰安街道", "清源街道", "润泽街道",
    "桂花街道", "香樟街道", "金湾街道", "明珠街道", "翠湖街道", "兴业街道", "创新街道", "青年街道",
)  # fmt: skip
TOWNS: tuple[str, ...] = ("芦湾镇", "白塔镇", "花荡镇", "柳堰镇", "东汀镇")
ENGLISH: dict[str, str] = {
    "仙女镇": "Xiannu Town", "龙川街道": "Longchuan Street", "望江街道": "Wangjiang Street",
    "文峰街道": "Wenfeng Street", "引江街道": "Yinjiang Street", "玉带街道": "Yudai Street",
    "舜天街道": "Shuntian Street", "双桥街道": "Shuangqiao Street", "通济街道": "Tongji Street",
    "新都街道": "Xindu Street", "桃园街道": "Taoyuan Street", "锦湖街道": "Jinhu Street",
    "卧虹街道": "Wohong Street", "芦湾镇": "Luwan Town", "白塔镇": "Baita Town",
    "文昌街道": "Wenchang Street", "春江街道": "Chunjiang Street", "长安街道": "Chang'an Street",
    "和平街道": "Heping Street", "光明街道": "Guangming Street", "泰安街道": "Tai'an Street",
    "清源街道": "Qingyuan Street", "润泽街道": "Runze Street", "桂花街道": "Guihua Street",
    "香樟街道": "Xiangzhang Street", "金湾街道": "Jinwan Street", "明珠街道": "Mingzhu Street",
    "翠湖街道": "Cuihu Street", "兴业街道": "Xingye Street", "创新街道": "Chuangxin Street",
    "青年街道": "Qingnian Street", "仙林街道": "Xianlin Street", "镜湖街道": "Jinghu Street",
    "东华门街道": "Donghuamen Street", "古城街道": "Gucheng Street", "吉迈镇": "Jimai Town",
    "花荡镇": "Huadang Town", "柳堰镇": "Liuyan Town", "东汀镇": "Dongting Town",
}  # fmt: skip

_IN_TOWN = (
    "龙川", "文昌", "玉带", "望江", "引江", "通济", "仙城", "舜天", "龙城", "新都", "利民", "人民",
    "建乐", "春江", "花园", "长安", "永安", "和平", "光明", "新民", "广宁", "泰安", "清源", "润泽",
    "桃园", "柳荫", "荷塘", "竹苑", "梅园", "桂花", "银杏", "香樟", "金湾", "银河", "东汀", "西园",
    "南苑", "北苑", "古渡", "水关", "砖桥", "石桥", "双桥", "卧虹", "望月", "映月", "听涛", "临湖",
    "湖滨", "滨江", "滨河", "芦湾", "芦荡", "白塔", "青龙", "金鱼", "五里", "七里", "十里", "三元",
    "四海", "八桥", "九曲", "同乐", "同心", "共和", "康乐", "安康", "福民", "福寿", "吉祥", "如意",
    "锦绣", "锦都", "华阳", "丽都", "阳光", "明珠", "星河", "天成", "翠湖", "翠苑", "碧水", "清溪",
    "兰亭", "书香", "学府", "文峰", "魁星", "状元", "贡院", "鼓楼", "钟楼", "东关", "西关", "府前",
    "县府", "迎宾", "站前", "车站", "工农", "建设", "创业", "新元", "科苑", "兴业", "振兴", "富民",
)  # fmt: skip
_IN_COUNTRY = (
    "丰收", "禾丰", "麦香", "稻香", "果林", "桑园", "茶亭", "柳堰", "花荡", "野田", "大桥", "小桥",
    "许庄", "陶庄", "高庄", "新庄", "前庄", "后庄", "东庄", "西庄", "南圩", "北圩", "大圩", "联圩",
    "永丰", "太平", "联合", "团结", "友谊", "双沟", "三河", "五河", "古井", "塘头", "塘尾", "渔港",
    "沙洲", "新圩", "朱桥", "杨湾", "吴堡", "周庄", "马甸", "李典", "沈家", "嵇家", "樊川", "浦头",
)  # fmt: skip
_SIDES = ("东", "西", "新", "南", "北", "中")  # where a city has more communities than names
_TOWARDS = (("城北", (0, 1)), ("城南", (0, -1)), ("城东", (1, 0)), ("城西", (-1, 0)))


def name_communities(
    codes: NDArray[np.object_], rural: NDArray[np.bool_], at: NDArray[np.float64]
) -> NDArray[np.object_]:
    """
    Return a different name for each community: 社区 in town, 村 in the country.

    `at` is the middle of each, metres from the middle of the city: 城北 lies in the north.
    """
    names = np.empty(len(codes), object)
    town = np.flatnonzero(~rural)
    for name, (east, north) in _TOWARDS if len(codes) > 4 * len(_TOWARDS) else ():
        along = at[town, 0] * east + at[town, 1] * north
        aside = np.abs(at[town, 0] * north - at[town, 1] * east)
        free = np.array([names[one] is None for one in town])
        names[town[np.argmax(np.where(free, along - 2 * aside, -np.inf))]] = name + "社区"
    more = [first + side for side in _SIDES for first in _IN_TOWN]
    pools = {False: list(_IN_TOWN), True: list(_IN_COUNTRY)}
    for position in np.argsort(codes):
        if names[position] is None:
            pool = pools[bool(rural[position])] or pools[not rural[position]] or more
            names[position] = pool.pop(0) + ("村" if rural[position] else "社区")
    return names


PLACE_WORDS: tuple[str, ...] = (
    "金辉", "宏运", "顺达", "益民", "鑫源", "华联", "恒信", "佳和", "万家", "百顺", "悦来", "福满",
    "锦江", "金桥", "银座", "长乐", "兴隆", "祥和", "丰泽", "天和", "嘉业", "名都", "世纪", "东方",
    "江南", "江北", "运河", "水韵", "绿洲", "紫金", "凤凰", "兰花", "海棠", "玉兰", "丹桂", "红枫",
)  # fmt: skip


_ROAD_FIRST = (
    "文峰", "学士", "书院", "状元", "鼓楼", "钟楼", "府前", "东关", "南门", "北门", "桃园", "柳巷",
    "荷花", "竹园", "梅苑", "桂园", "银杏", "香樟", "月城", "星辰", "春晖", "夏荷", "秋实", "瑞雪",
    "平安", "吉庆", "兴隆", "富康", "利民", "同心", "振兴", "创新", "建业", "科技", "工业", "纬二",
    "经三", "育才", "启明", "博爱", "友谊", "团结", "青年", "建设", "劳动", "胜利", "幸福", "滨湖",
    "听涛", "望月", "映山", "清泉", "古运", "水关", "渡口", "船坞", "盐仓", "米市", "布坊", "铁匠",
    "花市", "菜根", "丰乐", "天宁", "地藏", "仁和", "义学", "礼贤", "智慧", "信诚", "泰州", "高邮",
)  # fmt: skip

MINOR_ROADS: tuple[str, ...] = tuple(
    first + ending for ending in ("路", "街", "东路", "西路") for first in _ROAD_FIRST
)
