//! The members of grid workers' reports, by the names that platforms give to them, and the words in them.

use chorus_model::{Phase, Severity};

/// What wraps one report or many.
pub(super) const WRAPPERS: &[&str] = &[
    "ReportCase",
    "reportCase",
    "case",
    "cases",
    "caseList",
    "data",
    "datas",
    "records",
    "rows",
    "list",
    "items",
    "params",
    "param",
    "body",
    "payload",
    "content",
    "result",
    "event",
    "events",
    "eventList",
    "problem",
    "problems",
    "task",
    "tasks",
    "taskProcess",
    "processes",
    "disputes",
];

/// When it happened, the better ones first; when it was reported comes last.
pub(super) const HAPPENED: &[&str] = &[
    "occurrenceDate",
    "occurrenceTime",
    "occurDate",
    "occurTime",
    "occurredAt",
    "happenTime",
    "happenDate",
    "happenedAt",
    "alarmTime",
    "eventTime",
    "eventDate",
    "eventDatetime",
    "problemTime",
    "findTime",
    "discoverTime",
    "checkTime",
    "contradictionsDate",
    "disputeDate",
    "fsrq",
    "fssj",
    "发生日期",
    "发生时间",
];

/// When it was told.
pub(super) const REPORTED: &[&str] = &[
    "reportTime",
    "reportDate",
    "reportedAt",
    "submitTime",
    "createTime",
    "createDate",
    "createdAt",
    "sendTime",
    "sbsj",
    "上报时间",
];

/// That somebody signed in at a point, and when.
pub(super) const SIGNED_IN: &[&str] =
    &["isSignin", "isSignIn", "isSignedIn", "signin", "signIn", "signed", "isCheckin", "isCheckIn"];
/// When.
pub(super) const SIGNED_IN_AT: &[&str] = &[
    "signinTime",
    "signInTime",
    "signTime",
    "checkinTime",
    "checkInTime",
    "clockInTime",
    "patrolTime",
    "签到时间",
    "巡查时间",
];
/// The day of an inspection, for a sign-in without a time.
pub(super) const PROCESSED: &[&str] = &["processDate", "processTime", "patrolDate", "inspectDate", "checkDate"];

/// The point of a patrol.
pub(super) const POINT: &[&str] =
    &["pointCode", "pointId", "pointNo", "patrolPointId", "checkpoint", "siteId", "nfcId", "qrCode"];

/// The kind of matter, by the catalogue of the platform.
pub(super) const MATTER: &[&str] = &[
    "itemCode",
    "eventTypeCode",
    "eventType",
    "problemType",
    "pollutionType",
    "disputeType",
    "caseTypeCode",
    "categoryCode",
    "category",
    "eventCategory",
    "sjlb",
    "事件类别",
];

/// How bad, in several ways of asking; the worst counts.
pub(super) const LEVELS: &[&str] = &[
    "severityLevel",
    "urgencyLevel",
    "problemLevel",
    "eventLevel",
    "level",
    "priority",
    "urgency",
    "severity",
    "dangerLevel",
    "eventScale",
    "scale",
    "sjgm",
    "事件规模",
];

/// Codes of the grid that it lies in.
pub(super) const GRID: &[&str] = &["gridCode", "gridId", "gridNum", "gridNo", "wgbm", "网格编码", "网格编号"];
/// Codes of larger areas, the smallest first.
pub(super) const AREA: &[&str] = &[
    "communityCode",
    "villageCode",
    "streetCode",
    "townCode",
    "districtCode",
    "areaCode",
    "divisionCode",
    "regionCode",
    "countyCode",
    "adcode",
    "xzqhdm",
    "cityCode",
    "行政区划代码",
];

/// Its identity.
pub(super) const IDENTITY: &[&str] = &[
    "caseCode",
    "caseId",
    "srcCaseId",
    "eventId",
    "eventCode",
    "eventNo",
    "problemId",
    "reportId",
    "disputeId",
    "taskId",
    "processId",
    "recordId",
    "serialNo",
    "uuid",
    "id",
];

/// Where it stands.
pub(super) const STATUS: &[&str] = &["caseStatus", "eventStatus", "problemStatus", "disputeStatus", "status", "state"];
/// That it was settled.
pub(super) const SETTLED: &[&str] =
    &["isResolved", "isFinished", "isClosed", "resolved", "closed", "sfhjcg", "是否化解成功"];

/// How many people.
pub(super) const PEOPLE: &[&str] = &[
    "peopleCount",
    "personCount",
    "personNum",
    "peopleNum",
    "involvedCount",
    "involveNum",
    "relatePeopleCount",
    "contradictionsPersons",
    "sjrs",
    "涉及人数",
];

/// That something is wrong, said or denied.
pub(super) const WRONG: &[&str] =
    &["hasProblem", "hasDanger", "hasHiddenDanger", "isAbnormal", "abnormal", "isProblem"];
/// That all is well, said or denied.
pub(super) const WELL: &[&str] = &["allSafe", "isSafe", "isAllSafe", "isNormal", "zeroReport", "isZeroReport"];
/// What an inspection or a report says as a whole.
pub(super) const VERDICT: &[&str] =
    &["reportType", "checkResult", "inspectResult", "patrolResult", "inspectionResult", "巡查结果"];

/// Only these make a report out of an object; the others are too common.
pub(super) const MARKS: &[&str] = &[
    "caseName",
    "caseTitle",
    "itemCode",
    "occurrenceDate",
    "occurrenceTime",
    "eventName",
    "problemLevel",
    "problemDesc",
    "problemSource",
    "problemType",
    "reportPersonalInfo",
    "disputeName",
    "disputeType",
    "disputeDate",
    "contradictionsDate",
    "contradictions",
    "sjmc",
    "fsrq",
    "事件名称",
    "发生日期",
    "gridCode",
    "gridNum",
    "网格编码",
    "eventTypeCode",
];

/// Steps in the handling of a case that is known already.
pub(super) const HANDLING: &[&str] = &["caseCode", "handlingUser", "delegateTo"];

/// The first words of tables about people: never accepted, whatever else they hold.
pub(super) const TABLES: &[&str] = &["tableName", "table", "entityName", "entity", "dataType", "tableCode"];

/// The tables of GB/T 31000 that list people who are watched or ill, by their members.
pub(super) const SPECIAL: &[&str] = &[
    "mentalIllness",
    "mentalDisorder",
    "psychosis",
    "diseaseType",
    "diagnosisType",
    "riskGrade",
    "drugType",
    "drugAddiction",
    "aidsInfection",
    "infectionRoute",
    "crimeName",
    "originalCrime",
    "releaseDate",
    "correctionType",
    "correctionCategory",
    "keyPersonType",
    "specialPopulationType",
    "zszhz",
    "yzjszahz",
    "xdry",
    "azbry",
    "sqjz",
    "xmsf",
    "zdqsn",
    "精神障碍",
    "刑满释放",
    "社区矫正",
    "吸毒人员",
    "艾滋病",
    "重点青少年",
];

/// What tells of people: named when it holds anything.
pub(super) const PERSONAL: &[&str] = &[
    "address",
    "areaName",
    "attachments",
    "caseName",
    "caseTitle",
    "collaborators",
    "comment",
    "conclusion",
    "contact",
    "contactName",
    "contactPhone",
    "content",
    "contradictionsParty",
    "contradictionsSituation",
    "desc",
    "description",
    "disputeName",
    "education",
    "enterpriseId",
    "enterpriseName",
    "eventName",
    "extFieldValues",
    "files",
    "fsdd",
    "gender",
    "handlingUser",
    "idCard",
    "idCardNo",
    "idNumber",
    "images",
    "mainParty",
    "mainPartyName",
    "mobile",
    "mobilePhone",
    "name",
    "nation",
    "parties",
    "partyAddress",
    "partyIdNumber",
    "partyName",
    "phone",
    "photos",
    "problemDesc",
    "reason",
    "remark",
    "reportPersonalInfo",
    "reportUser",
    "reporter",
    "reporterId",
    "reporterName",
    "reporterPhone",
    "resolver",
    "resolverName",
    "resolverPhone",
    "sex",
    "sjjs",
    "sjmc",
    "suggestion",
    "summary",
    "takeName",
    "telephone",
    "title",
    "userId",
    "userName",
    "主要当事人",
    "主要当事人姓名",
    "主要当事人证件号码",
    "事件名称",
    "事件简述",
    "化解责任人姓名",
    "发生地点",
];

/// How bad a word is. Which end of a row of digits is the worst is a convention, so no digit is critical.
pub(super) fn level(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_uppercase().as_str() {
        "I" | "Ⅰ" | "I级" | "Ⅰ级" | "特别重大" | "特大" | "特急" | "红色" | "RED" | "CRITICAL" | "EXTREME" => {
            Severity::Critical
        }
        "1" | "01" | "II" | "Ⅱ" | "II级" | "Ⅱ级" | "一级" | "重大" | "紧急" | "橙色" | "ORANGE" | "HIGH" | "URGENT"
        | "SEVERE" | "重大群体性" => Severity::High,
        "2" | "02" | "III" | "Ⅲ" | "III级" | "Ⅲ级" | "二级" | "较大" | "较急" | "黄色" | "YELLOW" | "MEDIUM"
        | "MODERATE" | "一般群体性" => Severity::Medium,
        "3" | "03" | "IV" | "Ⅳ" | "IV级" | "Ⅳ级" | "三级" | "一般" | "普通" | "蓝色" | "BLUE" | "LOW" | "NORMAL"
        | "MINOR" | "个体性" => Severity::Low,
        "4" | "04" | "四级" | "轻微" | "INFO" => Severity::Info,
        _ => return None,
    })
}

/// Where a case stands.
pub(super) fn phase(word: &str) -> Option<Phase> {
    Some(match word.to_ascii_lowercase().as_str() {
        "new" | "reported" | "created" | "submitted" | "open" | "待受理" | "已上报" | "上报" | "新建" => {
            Phase::Start
        }
        "accepted" | "delegated" | "processing" | "handling" | "in_progress" | "pending" | "已受理" | "受理"
        | "处理中" | "处置中" | "待处置" | "已分拨" | "办理中" | "化解中" => Phase::Continue,
        "closed" | "finished" | "resolved" | "completed" | "done" | "terminated" | "archived" | "已办结" | "办结"
        | "已结案" | "结案" | "已处置" | "已化解" | "已终止" | "已归档" => Phase::End,
        _ => return None,
    })
}

/// Whether a verdict says that all is well.
pub(super) fn verdict(word: &str) -> Option<bool> {
    Some(match word.to_ascii_lowercase().as_str() {
        "all_safe" | "allsafe" | "safe" | "normal" | "ok" | "zero" | "zero_report" | "正常" | "平安" | "安全"
        | "无异常" | "无隐患" | "合格" | "零报告" | "平安报告" => true,
        "abnormal" | "problem" | "danger" | "异常" | "有隐患" | "隐患" | "不合格" => false,
        _ => return None,
    })
}
