"""The things of a city and what can be wrong with them: the source of all kinds of incidents."""

from __future__ import annotations

from dataclasses import dataclass

CATEGORIES: dict[str, str] = {
    "1": "市容环境",
    "2": "公用设施",
    "3": "道路交通",
    "4": "园林绿化",
    "5": "安全隐患",
    "6": "民生服务",
}
CATEGORIES_EN: dict[str, str] = {
    "1": "City appearance",
    "2": "Public utilities",
    "3": "Roads and traffic",
    "4": "Parks and greening",
    "5": "Safety hazards",
    "6": "Residents' services",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    Things that share faults, items parted by ";" and their fields by "|".

    A thing: Chinese, English, and its own body where that differs from the group's. A fault:
    Chinese, English, limit (a key of `kinds.LIMITS`), severity 1 to 10, found by patrols (1 or 0),
    and the season or weather that brings it. What is more common stands first.
    """

    category: str
    body: str
    share: float  # of all incidents
    subjects: str
    faults: str
    sensed: bool = False  # a sensor may report it


GROUPS: tuple[Group, ...] = (
    Group(
        category="1",
        body="HW",
        share=0.1,
        subjects=(
            "垃圾桶|refuse bin;垃圾房|refuse room;果皮箱|litter bin;垃圾中转站|transfer station;"
            "分类收集亭|sorting kiosk;再生资源回收点|recycling point;餐厨垃圾桶|kitchen waste bin"
        ),
        faults=(
            "满溢|overflowing|h4|3|1;破损|damaged|w3|2|1;脏污|dirty|h8|2|1;"
            "异味扰民|foul smell|w1|3|0;缺失|missing|w3|2|1;摆放不规范|misplaced|h4|1|1"
        ),
    ),
    Group(
        category="1",
        body="CG",
        share=0.17,
        subjects=(
            "沿街商铺|shop fronts;菜市场周边|around market;学校周边|around school;"
            "医院周边|around hospital;公交站台周边|around bus stop;广场|square;人行道|pavement;"
            "地下通道|underpass;过街天桥|footbridge"
        ),
        faults=(
            "占道经营|street trading|h4|3|1;流动摊点|mobile stalls|h4|2|1;"
            "乱堆物料|piled goods|h8|2|1;暴露垃圾|exposed litter|h4|3|1;"
            "乱贴小广告|fly-posting|w1|1|1;油污污染|oil stains|w1|2|1"
        ),
    ),
    Group(
        category="1",
        body="ZF",
        share=0.05,
        subjects=(
            "店招|shop sign;户外广告牌|billboard;电子屏|LED screen;灯箱|light box;横幅|banner;"
            "道旗|pole flag;墙体广告|wall advertisement"
        ),
        faults=(
            "破损|damaged|w3|3|1;松动|loose|h8|6|1|wind;违规设置|set up without permit|w5|2|1;"
            "遮挡视线|blocking the view|w3|3|1;污损陈旧|stained and old|w5|1|1"
        ),
    ),
    Group(
        category="1",
        body="SW",
        share=0.03,
        subjects=(
            "河道|river;湖面|lake;沟渠|ditch;景观水池|ornamental pond;排水口|outfall;鱼塘|fish pond"
        ),
        faults=(
            "漂浮垃圾|floating litter|w1|3|1;水体发黑|black water|w5|6|1|heat;"
            "异味|smell|w3|4|0|heat;藻类聚集|algae|w3|4|1|heat;疑似排污|suspected discharge|h4|7|0;"
            "岸坡垃圾|bank litter|w1|2|1"
        ),
        sensed=True,
    ),
    Group(
        category="2",
        body="SZ",
        share=0.05,
        subjects=(
            "雨水井盖|storm drain cover|PS;污水井盖|sewer cover|PS;电力井盖|power cover|GD;"
            "通信井盖|telecom cover|DX;燃气井盖|gas cover|RQ;供水井盖|water cover|GS;"
            "热力井盖|heating cover|RL;雨水箅子|gully grate|PS;消防井盖|fire hydrant cover|XF"
        ),
        faults=(
            "破损|broken|h8|6|1;缺失|missing|m120|8|1;松动异响|loose and rattling|w1|3|0;"
            "沉降|sunken|w3|4|1;移位|displaced|h4|6|1"
        ),
        sensed=True,
    ),
    Group(
        category="2",
        body="CT",
        share=0.02,
        subjects=(
            "供水管道|water main|GS;燃气管道|gas main|RQ;热力管道|heating main|RL;"
            "污水管道|sewer|PS;雨水管道|storm sewer|PS"
        ),
        faults=(
            "泄漏|leak|m120|8|0;破裂|burst|m30|9|0|ice;压力异常|abnormal pressure|h4|5|0;"
            "外露|exposed|w5|3|1;锈蚀|rusted|w10|2|1;施工挖损|hit by digging|m30|9|0"
        ),
        sensed=True,
    ),
    Group(
        category="2",
        body="ZM",
        share=0.05,
        subjects=(
            "路灯|street lamp;景观灯|ornamental lamp;草坪灯|lawn lamp;庭院灯|courtyard lamp;"
            "高杆灯|high-mast lamp;桥灯|bridge lamp;隧道灯|tunnel lamp"
        ),
        faults=(
            "不亮|out|w3|3|1;常亮|lit by day|w3|1|1;闪烁|flickering|w3|2|0;"
            "灯罩破损|broken shade|w5|2|1;灯杆倾斜|leaning pole|w1|6|1|wind"
        ),
        sensed=True,
    ),
    Group(
        category="2",
        body="SZ",
        share=0.02,
        subjects=(
            "电线杆|power pole|GD;通信杆|telecom pole|TT;监控杆|camera pole|GA;标志杆|sign pole|JJ;"
            "通信交接箱|telecom cabinet|DX"
        ),
        faults=(
            "倾斜|leaning|w1|6|1|wind;锈蚀|rusted|w10|2|1;断裂|broken|h4|8|0|wind;"
            "线缆垂落|hanging cable|h4|7|1|wind;箱门敞开|open door|w1|4|1"
        ),
    ),
    Group(
        category="2",
        body="SZ",
        share=0.03,
        subjects=(
            "休闲座椅|bench|YL;健身器材|exercise equipment|WL;公交站亭|bus shelter|GJ;"
            "公共自行车亭|bicycle dock|DC;充电桩|charging post|GD;直饮水点|drinking fountain|GS;"
            "公厕|public toilet|HW;邮筒|letter box|YZ;快递柜|parcel locker|YZ;"
            "阅读亭|reading kiosk|WL;停车收费桩|parking meter|TC;宣传栏|notice board"
        ),
        faults=(
            "损坏|damaged|w3|3|1;脏污|dirty|w1|1|1;松动|loose|w3|3|1;停用|out of service|w5|2|0"
        ),
    ),
    Group(
        category="3",
        body="SZ",
        share=0.07,
        subjects=(
            "机动车道|carriageway;非机动车道|cycle lane;人行道|footway;盲道|tactile paving;"
            "广场路面|square paving;桥面|bridge deck;匝道|ramp;地下通道路面|underpass floor;"
            "乡村道路|country road|JT"
        ),
        faults=(
            "坑槽|pothole|w3|5|1;裂缝|crack|w7|2|1;沉陷|subsidence|w1|7|1|rain;"
            "积水|standing water|h4|5|0|rain;抛洒物|spilled load|h4|5|1;结冰|ice|m120|7|0|ice"
        ),
    ),
    Group(
        category="3",
        body="JJ",
        share=0.03,
        subjects=(
            "交通信号灯|traffic light;指路牌|direction sign;限速牌|speed sign;停车标志|stop sign;"
            "人行横道灯|crossing light;可变情报屏|message sign;倒计时屏|countdown display"
        ),
        faults=(
            "损坏|broken|h8|6|1;歪斜|crooked|w1|3|1|wind;被遮挡|hidden|w3|4|1;缺失|missing|w3|5|1;"
            "脏污|dirty|w5|1|1"
        ),
        sensed=True,
    ),
    Group(
        category="3",
        body="SZ",
        share=0.03,
        subjects=(
            "中央护栏|median barrier;机非护栏|cycle-lane barrier;人行护栏|pedestrian barrier;"
            "隔离墩|bollard;防撞桶|crash barrel;减速带|speed hump;反光镜|road mirror;"
            "隔音屏|noise screen"
        ),
        faults=(
            "破损|damaged|w3|4|1;移位|displaced|w1|4|1;缺失|missing|w3|4|1;脏污|dirty|w5|1|1;"
            "松动|loose|w3|4|1"
        ),
    ),
    Group(
        category="3",
        body="JJ",
        share=0.1,
        subjects=(
            "学校门口|school gate;医院门口|hospital gate;消防通道|fire lane|XF;公交站点|bus stop;"
            "道路路口|junction;盲道沿线|tactile paving;小区出入口|estate gate;商圈|shopping area"
        ),
        faults=(
            "机动车违停|illegal parking|h4|3|1;非机动车乱停|bicycles parked anyhow|h4|2|1;"
            "共享单车淤积|shared bicycles piled up|h4|2|1;废弃车辆|abandoned vehicle|w7|2|1;"
            "交通拥堵|congestion|m30|3|0"
        ),
    ),
    Group(
        category="4",
        body="YL",
        share=0.05,
        subjects=(
            "行道树|street tree;古树名木|veteran tree;公园乔木|park tree;河岸林木|riverside tree;"
            "小区树木|estate tree|WY;庭院树|courtyard tree;防护林|shelter belt|NY"
        ),
        faults=(
            "倒伏|fallen|m120|7|0|wind;断枝|broken branch|h8|5|1|wind;枯死|dead|w10|2|1;"
            "病虫害|pests|w7|3|1|heat;遮挡路灯|hiding a lamp|w5|3|0;"
            "触碰线缆|touching cables|w3|6|0;违规砍伐|felled without permit|w5|5|1;"
            "落叶堆积|leaves piled up|w1|1|1|leaf"
        ),
    ),
    Group(
        category="4",
        body="YL",
        share=0.03,
        subjects=(
            "草坪|lawn;绿篱|hedge;灌木|shrubs;花坛|flower bed;花箱|flower box;立体绿化|green wall;"
            "绿化带|green strip;湿生植物|wetland plants"
        ),
        faults=(
            "枯死|dead|w10|2|1;缺株|gaps|w10|1|1;病虫害|pests|w7|3|1|heat;踩踏损毁|trampled|w7|2|1;"
            "杂草丛生|weeds|w5|1|1|heat;缺水|dry|w3|2|1|heat;垃圾杂物|litter|w1|2|1"
        ),
    ),
    Group(
        category="4",
        body="YL",
        share=0.02,
        subjects=(
            "园路|park path;木栈道|boardwalk;凉亭|pavilion;廊架|pergola;儿童设施|playground;"
            "雕塑|sculpture;喷泉|fountain;亲水平台|waterside deck;围栏|fence;导览牌|map board"
        ),
        faults=(
            "破损|damaged|w3|3|1;松动|loose|w1|4|1;脏污|dirty|w3|1|1;部件缺失|parts missing|w5|3|1"
        ),
    ),
    Group(
        category="5",
        body="XF",
        share=0.02,
        subjects=(
            "消防栓|hydrant;灭火器箱|extinguisher box;应急灯|emergency light;疏散指示牌|exit sign;"
            "烟感探头|smoke detector;喷淋头|sprinkler;防火门|fire door;消防水泵|fire pump"
        ),
        faults=(
            "损坏|broken|w1|6|1;缺失|missing|w1|7|1;被遮挡|blocked|h8|5|1;"
            "过期未检|inspection overdue|w5|4|1"
        ),
        sensed=True,
    ),
    Group(
        category="5",
        body="YJ",
        share=0.04,
        subjects=(
            "居民楼|housing block|WY;出租房|rented rooms|GA;商场|department store|SJ;"
            "餐饮店|restaurant|SC;学校|school|JY;养老院|care home|MZ;仓库|warehouse;"
            "工地|building site|ZJ;集贸市场|market|SC;旅馆|inn|WL;厂房|workshop;医院|hospital|WJ"
        ),
        faults=(
            "疏散通道堵塞|blocked escape route|h8|7|1;电线私拉乱接|unsafe wiring|w1|6|1;"
            "违规动火|unsafe hot work|m120|8|0;可燃物堆放|piled combustibles|w1|6|1;"
            "电动车违规充电|unsafe e-bike charging|h8|6|1;燃气隐患|gas hazard|h4|8|0;"
            "消防设施失效|fire equipment failed|w3|6|1"
        ),
    ),
    Group(
        category="5",
        body="ZJ",
        share=0.015,
        subjects=(
            "外墙|outer wall;屋顶|roof;阳台|balcony;围墙|boundary wall;"
            "空调外机|air-conditioner unit;玻璃幕墙|glass curtain wall;雨棚|canopy;"
            "广告架|advertising frame|ZF"
        ),
        faults=(
            "脱落|falling parts|h8|8|0|wind;开裂|cracked|w3|5|1;倾斜|leaning|w1|7|1;"
            "松动|loose|w1|6|1|wind"
        ),
    ),
    Group(
        category="5",
        body="ZJ",
        share=0.01,
        subjects=(
            "塔吊|tower crane;脚手架|scaffold;基坑|excavation;施工围挡|hoarding;临边洞口|open edge;"
            "施工电梯|site lift;渣土运输|muck haulage|ZF"
        ),
        faults=(
            "防护缺失|protection missing|h8|8|1;违规作业|unsafe work|h4|7|1;"
            "未按期检查|inspection missed|w3|4|1"
        ),
    ),
    Group(
        category="5",
        body="SW",
        share=0.015,
        subjects=(
            "低洼路段|low road;下穿通道|underpass;河堤|river bank;涵洞|culvert;土坡|earth slope|ZR;"
            "地下车库|basement garage|WY"
        ),
        faults=(
            "内涝|flooding|m120|8|0|rain;塌陷|collapse|m120|9|0|rain;渗漏|seepage|w3|5|1|rain;"
            "警示缺失|warning sign missing|w3|4|1"
        ),
        sensed=True,
    ),
    Group(
        category="6",
        body="SF",
        share=0.035,
        subjects=(
            "邻里|neighbour;物业|property service;租赁|tenancy;消费|consumer|SC;劳资|labour|RS;"
            "土地流转|land transfer|NY;停车|parking;征迁|relocation|XX;装修|renovation;"
            "经营|trade|SC"
        ),
        faults=(
            "口角争执|quarrel|w3|4|0;费用争议|fee dispute|w7|3|0;噪声争议|noise dispute|w5|3|0;"
            "损害赔偿争议|damage dispute|w10|4|0;合同争议|contract dispute|d15|4|0"
        ),
    ),
    Group(
        category="6",
        body="HB",
        share=0.05,
        subjects=(
            "建筑施工|building site|ZJ;广场活动|square dancing|WL;商铺音响|shop loudspeaker|CG;"
            "娱乐场所|entertainment venue|WL;道路交通|road traffic|JJ;宠物|pets|GA;"
            "家庭装修|home renovation|WY;设备机房|plant room"
        ),
        faults=(
            "夜间噪声|noise at night|h8|4|0;午间噪声|noise at noon|w1|2|0;"
            "持续噪声|constant noise|w3|3|0"
        ),
    ),
    Group(
        category="6",
        body="MZ",
        share=0.04,
        subjects=(
            "供水|water supply|GS;供电|power supply|GD;供气|gas supply|RQ;宽带网络|broadband|DX;"
            "有线电视|cable television|GX;电梯|lift|WY;公交|bus service|GJ;快递|parcel service|YZ;"
            "热力|heating|RL"
        ),
        faults=(
            "中断|interrupted|h4|5|0;不稳定|unstable|w1|3|0;收费疑问|billing question|w5|1|0;"
            "报修未到|repair not come|w1|3|0;咨询|enquiry|w3|1|0"
        ),
    ),
    Group(
        category="6",
        body="MZ",
        share=0.012,
        subjects=(
            "养老服务点|elderly service point;日间照料中心|day-care centre;"
            "社区食堂|community canteen;托育点|nursery|WJ;卫生服务站|health station|WJ;"
            "图书室|reading room|WL;便民服务点|service point;老年活动室|seniors' room"
        ),
        faults=(
            "设施损坏|equipment broken|w5|3|0;服务中断|service interrupted|w3|3|0;"
            "环境问题|untidy|w3|2|1;开放时间争议|opening hours dispute|w5|1|0"
        ),
    ),
)
