"""Headers in traditional characters, as Big5 files have them, compared as if simplified."""

from __future__ import annotations

# Only what stands in the headers of offices: no dictionary, and never applied to what a cell says.
_PAIRS = (
    "編编號号報报時时間间類类經经緯纬標标題题單单責责區区劃划稱称層层級级網网樓楼棟栋戶户數数務务"
    "處处辦办結结證证關关聯联絡络繫系電电話话聽听機机構构設设備备註注說说點点碼码縣县鎮镇鄉乡種种"
    "歸归屬属動动發发現现維维護护狀状態态應应優优來来訴诉請请評评價价復复開开閉闭撥拨達达運运輸输"
    "轉转監监視视攝摄異异圖图廣广場场橋桥長长寬宽積积總总計计員员駕驾駛驶車车郵邮銀银帳账賬账實实"
    "際际雙双側侧門门裡里裏里鄰邻樁桩線线幹干邊边東东擁拥學学醫医療疗養养殘残廢废殯殡軍军舊旧歲岁"
    "齡龄別别國国貫贯職职業业範范圍围項项詳详細细內内敘叙術术測测繪绘係系統统"
)
_SIMPLIFIED = {ord(_PAIRS[at]): _PAIRS[at + 1] for at in range(0, len(_PAIRS), 2)}


def simplify_header(header: str) -> str:
    """Return a header with the traditional characters that headers are made of as simplified."""
    return header.translate(_SIMPLIFIED)
