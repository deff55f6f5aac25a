//! The `eventType` numbers of the platform.
//!
//! The numbers and their Chinese names are the maker's; those that stand in no document that we read are not here, and a
//! record with one is refused as unknown rather than guessed.

use chorus_model::{Kind, Phase};

use super::super::{codes, doc};

/// What a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something happened.
    Event {
        /// What.
        kind: Kind,
        /// Only where the number itself is a beginning or an end; otherwise `status` tells.
        phase: Option<Phase>,
        /// A remark in a closed word.
        flag: Option<&'static str>,
    },
    /// Known, and no safety event.
    Filtered(&'static str),
}

use Meaning::Filtered;

const fn plain(kind: Kind) -> Meaning {
    Meaning::Event { kind, phase: None, flag: None }
}

const fn remark(kind: Kind, flag: &'static str) -> Meaning {
    Meaning::Event { kind, phase: None, flag: Some(flag) }
}

const fn phased(kind: Kind, phase: Phase) -> Meaning {
    Meaning::Event { kind, phase: Some(phase), flag: None }
}

/// Every number that is known, ascending.
#[rustfmt::skip]
const TYPES: &[(i64, Meaning)] = &[
    // Video.
    (131_329, plain(Kind::VideoLoss)),                                  // 视频丢失
    (131_330, plain(Kind::CameraTamper)),                               // 视频遮挡
    (131_331, plain(Kind::MotionDetected)),                             // 移动侦测
    (131_585, plain(Kind::IntrusionLine)),                              // 越界侦测
    (131_586, remark(Kind::IntrusionArea, "enter")),                    // 进入区域
    (131_587, remark(Kind::IntrusionArea, "leave")),                    // 离开区域
    (131_588, plain(Kind::IntrusionArea)),                              // 区域入侵
    (131_590, plain(Kind::Loitering)),                                  // 徘徊侦测
    (131_591, plain(Kind::VehicleDwell)),                               // 停车侦测
    (131_592, remark(Kind::MotionDetected, "fast_movement")),           // 快速移动
    (131_593, plain(Kind::CrowdDensity)),                               // 人员聚集
    (131_594, plain(Kind::ObjectLeft)),                                 // 物品遗留
    (131_595, plain(Kind::ObjectRemoved)),                              // 物品拿取
    (131_596, remark(Kind::MotionDetected, "violent_motion")),          // 剧烈运动
    (131_597, remark(Kind::IntrusionLine, "climb_over")),               // 攀高
    (131_598, Filtered("behaviour")),                                   // 起身
    (131_599, Filtered("behaviour")),                                   // 人靠近ATM
    (131_600, Filtered("behaviour")),                                   // 操作超时
    (131_601, remark(Kind::CameraTamper, "foreign_object")),            // 贴纸条
    (131_602, remark(Kind::CameraTamper, "foreign_object")),            // 安装读卡器
    (131_603, Filtered("behaviour")),                                   // 离岗
    (131_604, plain(Kind::AccessTailgating)),                           // 尾随
    (131_605, remark(Kind::TagFall, "by_camera")),                      // 倒地
    (131_606, Filtered("audio")),                                       // 声强突变
    (131_607, remark(Kind::IntrusionLine, "climb_over")),               // 折线攀高
    (131_608, Filtered("behaviour")),                                   // 如厕超时
    (131_609, Filtered("behaviour")),                                   // 防风场滞留
    (131_610, Filtered("behaviour")),                                   // 重点人员起身
    (131_611, plain(Kind::IntrusionLine)),                              // 折线警戒面
    (131_612, remark(Kind::CameraTamper, "scene_change")),              // 场景变更
    (131_613, remark(Kind::CameraTamper, "defocus")),                   // 虚焦
    (131_614, Filtered("face_record")),                                 // 人脸抓拍
    (131_616, plain(Kind::CountFlow)),                                  // 客流统计
    (131_659, Filtered("face_record")),                                 // 人脸比对
    (131_664, remark(Kind::CrowdDensity, "head_count")),                // 人数异常
    (131_665, Filtered("behaviour")),                                   // 间距异常
    (131_666, Filtered("behaviour")),                                   // 人员站立
    (131_667, Filtered("behaviour")),                                   // 静坐
    (132_865, Filtered("face_record")),                                 // 高频人员识别
    (192_513, remark(Kind::FireAlarm, "smoke")),                        // 烟雾检测
    (192_514, plain(Kind::FireAlarm)),                                  // 烟火检测
    (192_515, plain(Kind::FireAlarm)),                                  // 火点检测
    (192_516, Filtered("ship")),                                        // 船只检测
    (192_517, remark(Kind::EnvironmentAlarm, "temperature")),           // 温度报警
    (192_518, remark(Kind::EnvironmentAlarm, "temperature")),           // 温差报警
    (196_355, Filtered("field_of_view")),                               // 可视域事件
    // Doors.
    (196_883, plain(Kind::AccessGranted)),                              // 多重认证成功
    (196_893, plain(Kind::AccessGranted)),                              // 人脸认证通过
    (197_162, plain(Kind::AccessGranted)),                              // 人证比对通过
    (197_634, plain(Kind::AccessDenied)),                               // 无此卡号
    (198_400, plain(Kind::DoorHeldOpen)),                               // 开门超时
    (198_657, plain(Kind::DoorForced)),                                 // 门被外力开启
    (198_913, plain(Kind::DoorOpened)),                                 // 正常开门
    (198_914, plain(Kind::AccessGranted)),                              // 合法卡比对通过
    (198_915, plain(Kind::AccessGranted)),                              // 刷卡加密码开门
    (199_169, plain(Kind::DoorClosed)),                                 // 正常关门
    (199_428, plain(Kind::AccessDuress)),                               // 胁迫报警
    (199_708, phased(Kind::CameraTamper, Phase::Start)),                // 设备防拆报警
    (199_709, phased(Kind::CameraTamper, Phase::End)),                  // 设备防拆恢复
    (254_103, plain(Kind::FireLaneBlocked)),                            // 消防通道占用
    (254_104, plain(Kind::FireAlarm)),                                  // 火点报警
    (261_952, remark(Kind::AccessDenied, "card_encryption")),           // 卡加密校验失败
    // Alarm hosts and inputs.
    (327_681, plain(Kind::IntrusionZone)),                              // 防区报警
    (589_825, plain(Kind::InputChanged)),                               // 报警输入
    (851_969, Filtered("position")),                                    // GPS采集
    (917_761, plain(Kind::PanicButton)),                                // 呼叫报警
    (930_335, remark(Kind::ObjectDetected, "thrown_object")),           // 高空抛物
    // Door stations.
    (983_297, plain(Kind::AccessGranted)),                              // 密码开锁
    (983_299, plain(Kind::AccessGranted)),                              // 刷卡开锁
    (983_300, remark(Kind::AccessGranted, "by_resident")),              // 室内机开锁
    (983_301, remark(Kind::AccessGranted, "by_centre")),                // 中心平台开锁
    (983_302, plain(Kind::CameraTamper)),                               // 设备防拆报警
    (983_303, plain(Kind::AccessDuress)),                               // 劫持报警
    (983_309, plain(Kind::AccessGranted)),                              // 人脸开锁
    (983_310, plain(Kind::AccessGranted)),                              // 指纹开锁
    (983_556, remark(Kind::FireAlarm, "smoke")),                        // 烟感报警
    (983_560, plain(Kind::PanicButton)),                                // 紧急开关报警
    (983_563, plain(Kind::DoorForced)),                                 // 智能锁撬门报警
    // Car parks and checkpoints. The line is where the plate is read; releasing is the barrier.
    (771_760_130, remark(Kind::VehiclePassed, "entry")),                // 入场压线
    (771_760_131, remark(Kind::GateState, "entry")),                    // 入场放行
    (771_760_133, remark(Kind::VehiclePassed, "exit")),                 // 出场压线
    (771_760_134, remark(Kind::GateState, "exit")),                     // 出场放行
    (771_764_226, Filtered("parking_space")),                           // 车位
    (889_196_545, plain(Kind::DeviceOffline)),                          // 监控点离线
    (1_157_632_002, Filtered("watch_list")),                            // 园区卡口黑名单
    (1_157_632_003, remark(Kind::VehiclePassed, "overspeed")),          // 园区卡口超速
    (1_157_632_004, plain(Kind::VehicleWrongWay)),                      // 园区卡口逆行
    (1_157_632_005, plain(Kind::VehicleDwell)),                         // 园区卡口违停
    (1_644_171_265, Filtered("face_record")),                           // 陌生人识别
    (1_644_175_361, Filtered("face_record")),                           // 重点人员识别
    (3_187_675_137, Filtered("face_record")),                           // 重点人员抓拍
];

/// The meaning of a number, if the table knows it.
pub(super) fn by_code(code: i64) -> Option<Meaning> {
    codes::find(TYPES, code)
}

/// Nothing of a face passes, whatever its number: the categories of the platform that are about faces.
pub(super) fn is_about_faces(ability: &str) -> bool {
    ability.contains("face") || ability == "event_frs" || ability == "event_fcra"
}

/// The numbers, for the format's page.
pub(super) fn table() -> doc::Table {
    let row = |(code, meaning): &(i64, Meaning)| match *meaning {
        Meaning::Event { kind, phase, flag } => {
            let phase = phase.map_or("by `status`", Phase::as_str);
            vec![code.to_string(), kind.to_string(), phase.to_owned(), doc::cell(flag)]
        }
        Filtered(word) => vec![code.to_string(), format!("filtered: {word}"), String::new(), String::new()],
    };
    doc::Table {
        title: "`eventType`",
        columns: &["number", "kind", "phase", "flag"],
        rows: TYPES.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_knows_every_number_of_the_guides() {
        codes::check(TYPES, "hikvision_isecure_event_types.tsv", 1);
    }
}
