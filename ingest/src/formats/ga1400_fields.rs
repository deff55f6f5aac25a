//! The keys of GA/T 1400: what they lead to, and the fields that are kept by an allow-list. What is not listed is skipped
//! without being stored.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::json;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Motor,
    NonMotor,
    Person,
    Face,
    Keepalive,
    Register,
    UnRegister,
    /// A device's state, as its platform tells it.
    Status,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A list, or what wraps one.
    List(Option<Class>),
    /// One thing, or an array of them.
    Object(Class),
    /// Known, and no safety event.
    Filtered(&'static str),
    /// A field of a thing.
    Field,
}

/// What the standard, and those who deviate from it, call by this key.
pub(super) fn role(key: &str) -> Role {
    match key {
        "MotorVehicleListObject" | "MotorVehicleObjectList" | "MotorVehicleList" | "MotorVehicleEventList" => {
            Role::List(Some(Class::Motor))
        }
        "NonMotorVehicleListObject" | "NonMotorVehicleObjectList" | "NonMotorVehicleList" => {
            Role::List(Some(Class::NonMotor))
        }
        "PersonListObject" | "PersonObjectList" | "PersonList" => Role::List(Some(Class::Person)),
        "FaceListObject" | "FaceObjectList" | "FaceList" => Role::List(Some(Class::Face)),
        "APEStatusListObject"
        | "APEStatusObjectList"
        | "APSStatusListObject"
        | "APSStatusObjectList"
        | "DeviceStatusList" => Role::List(Some(Class::Status)),
        "SubscribeNotificationListObject" | "SubscribeNotificationList" | "SubscribeNotificationObject" => {
            Role::List(None)
        }
        "MotorVehicleObject" | "MotorVehicleEventObject" => Role::Object(Class::Motor),
        "NonMotorVehicleObject" => Role::Object(Class::NonMotor),
        "PersonObject" => Role::Object(Class::Person),
        "FaceObject" => Role::Object(Class::Face),
        "APEStatusObject" | "APSStatusObject" | "DeviceStatusObject" => Role::Object(Class::Status),
        "KeepaliveObject" => Role::Object(Class::Keepalive),
        "RegisterObject" => Role::Object(Class::Register),
        "UnRegisterObject" => Role::Object(Class::UnRegister),
        "ResponseStatusListObject" | "ResponseStatusObject" => Role::Filtered("answer"),
        "SystemTimeObject" => Role::Filtered("time"),
        "TollgateListObject" | "TollgateObjectList" | "LaneListObject" | "LaneObjectList" | "APEListObject"
        | "APEObjectList" | "APSListObject" | "DeviceList" => Role::Filtered("catalog"),
        "SubscribeListObject" => Role::Filtered("subscription"),
        "DispositionListObject"
        | "DispositionObjectList"
        | "DispositionNotificationListObject"
        | "DispositionNotificationList" => Role::Filtered("watch_list"),
        "ImageListObject"
        | "ImageInfoObjectList"
        | "VideoSliceListObject"
        | "VideoSliceObjectList"
        | "FileListObject"
        | "FileObjectList" => Role::Filtered("media"),
        _ => Role::Field,
    }
}

/// A text or a number, as senders mix them; anything else is absent. A number keeps its digits: a device id of 20 digits is
/// larger than any integer.
#[derive(Default)]
pub(super) struct Loose<'a>(Option<Cow<'a, str>>);

impl Loose<'_> {
    /// The text, unless it is empty.
    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Loose<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(match value.get().bytes().next() {
            Some(b'"' | b'-' | b'0'..=b'9') => json::text(value),
            _ => None,
        }))
    }
}

/// What is kept of one seen thing: when, which device, which lane. Nothing of whom.
#[derive(Default)]
pub(super) struct Seen<'a> {
    pub(super) face_id: Loose<'a>,
    pub(super) person_id: Loose<'a>,
    pub(super) motor_id: Loose<'a>,
    pub(super) nonmotor_id: Loose<'a>,
    pub(super) device: Loose<'a>,
    pub(super) tollgate: Loose<'a>,
    pub(super) source: Loose<'a>,
    pub(super) pass_time: Loose<'a>,
    pub(super) appear_time: Loose<'a>,
    pub(super) mark_time: Loose<'a>,
    pub(super) trigger_time: Loose<'a>,
    pub(super) lane: Loose<'a>,
    pub(super) direction: Loose<'a>,
    pub(super) online: Loose<'a>,
    pub(super) dropped: Vec<&'static str>,
}

impl<'de> Seen<'de> {
    /// Takes the value behind a key, or passes over it.
    pub(super) fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let field = match key {
            "FaceID" => &mut self.face_id,
            "PersonID" => &mut self.person_id,
            // The second names of a key are those of public-security platforms (initials of Chinese words).
            "MotorVehicleID" | "JDCGCXXBZ" => &mut self.motor_id,
            "NonMotorVehicleID" => &mut self.nonmotor_id,
            "DeviceID" | "CJSBXXBZ" | "ApeID" | "ApsID" => &mut self.device,
            "TollgateID" => &mut self.tollgate,
            "SourceID" => &mut self.source,
            "PassTime" | "CJSJ" => &mut self.pass_time,
            "AppearTime" | "PersonAppearTime" | "FaceAppearTime" => &mut self.appear_time,
            "MarkTime" | "LocationMarkTime" | "LocalTime" | "CurrentTime" => &mut self.mark_time,
            "TriggerTime" => &mut self.trigger_time,
            "LaneNo" => &mut self.lane,
            "Direction" => &mut self.direction,
            "IsOnline" => &mut self.online,
            other => return self.leave(other, map),
        };
        *field = map.next_value()?;
        Ok(())
    }

    /// Notes a personal field by its name when it holds anything; what it holds is not looked at.
    fn leave<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let Some(name) = PERSONAL.iter().find(|name| **name == key) else {
            map.next_value::<IgnoredAny>()?;
            return Ok(());
        };
        let raw: &RawValue = map.next_value()?;
        if !matches!(raw.get(), "null" | "\"\"" | "[]" | "{}") && !self.dropped.contains(name) {
            self.dropped.push(name);
        }
        Ok(())
    }
}

/// The fields that tell of a person or of a person's car, to say by name that they were left behind.
#[rustfmt::skip]
pub(super) const PERSONAL: &[&str] = &[
    // Vehicles; JDCHPHM is the plate.
    "PlateNo", "PlateNoAttach", "PlateDescribe", "PlateCharReliability", "JDCHPHM",
    "StorageUrl1", "StorageUrl2", "StorageUrl3", "StorageUrl4", "StorageUrl5", "SubImageList",
    "VehicleBodyDesc", "VehicleFrontItem", "DescOfFrontItem", "DescOfRearItem", "NumOfPassenger",
    "IsSuspicious", "Calling", "SafetyBelt", "DrivingStatusCode",
    // Persons and faces.
    "Name", "UsedName", "Alias", "IDType", "IDNumber", "GenderCode", "AgeUpLimit", "AgeLowerLimit", "EthicCode",
    "NationalityCode", "NativeCityCode", "ResidenceAdminDivision", "ChineseAccentCode", "PersonOrg", "JobCategory",
    "AccompanyNumber", "HeightUpLimit", "HeightLowerLimit", "BodyType", "SkinColor", "HairStyle", "HairColor",
    "Gesture", "Status", "FaceStyle", "FacialFeature", "PhysicalFeature", "BodyFeature", "HabitualMovement",
    "Behavior", "BehaviorDescription", "Appendant", "AppendantDescription", "UmbrellaColor", "RespiratorColor",
    "CapStyle", "CapColor", "GlassStyle", "GlassColor", "ScarfColor", "BagStyle", "BagColor",
    "CoatStyle", "CoatLength", "CoatColor", "TrousersStyle", "TrousersColor", "TrousersLen", "ShoesStyle",
    "ShoesColor", "Attitude", "Similaritydegree", "EyebrowStyle", "NoseStyle", "MustacheStyle", "LipStyle",
    "WrinklePouch", "AcneStain", "FreckleBirthmark", "ScarDimple", "OtherFeature",
    "IsDriver", "IsForeigner", "PassportType", "ImmigrantTypeCode",
    "IsSuspectedTerrorist", "SuspectedTerroristNumber", "IsCriminalInvolved", "CriminalInvolvedSpecilisationCode",
    "BodySpeciallMark", "CrimeMethod", "CrimeCharacterCode", "EscapedCriminalNumber", "IsDetainees",
    "DetentionHouseCode", "DetaineesIdentity", "DetaineesSpecialIdentity", "MemberTypeCode",
    "IsVictim", "VictimType", "InjuredDegree", "CorpseConditionCode", "IsSuspiciousPerson",
    "RelatedType", "FeatureInfo", "Feature", "RelatedList",
];
