//! The objects of GA/T 1400 by an allow-list of fields: what is not listed is skipped without being stored.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A text or a number, as senders mix them; anything else is absent.
#[derive(Default)]
pub(super) struct Loose<'a>(pub(super) Option<Cow<'a, str>>);

impl Loose<'_> {
    /// The text, unless it is empty.
    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }
}

impl<'de> Deserialize<'de> for Loose<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// A key of an object. Serde borrows a `Cow` only where it is told to.
#[derive(Deserialize, PartialEq, Eq)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

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
    /// `PassTime`, else the time of appearance, else that of the mark.
    pub(super) times: [Loose<'a>; 3],
    pub(super) trigger: Loose<'a>,
    pub(super) lane: Loose<'a>,
    pub(super) direction: Loose<'a>,
    pub(super) dropped: Vec<&'static str>,
}

struct SeenVisitor;

impl<'de> Visitor<'de> for SeenVisitor {
    type Value = Seen<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of GA/T 1400")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen = Seen::default();
        let [pass, appear, mark] = &mut seen.times;
        while let Some(Key(key)) = map.next_key()? {
            let field = match &*key {
                "FaceID" => &mut seen.face_id,
                "PersonID" => &mut seen.person_id,
                // The last two names of a key are those of public-security platforms (initials of Chinese words).
                "MotorVehicleID" | "JDCGCXXBZ" => &mut seen.motor_id,
                "NonMotorVehicleID" => &mut seen.nonmotor_id,
                "DeviceID" | "CJSBXXBZ" => &mut seen.device,
                "TollgateID" => &mut seen.tollgate,
                "SourceID" => &mut seen.source,
                "PassTime" | "CJSJ" => &mut *pass,
                "AppearTime" | "PersonAppearTime" | "FaceAppearTime" => &mut *appear,
                "MarkTime" | "LocationMarkTime" => &mut *mark,
                "TriggerTime" => &mut seen.trigger,
                "LaneNo" => &mut seen.lane,
                "Direction" => &mut seen.direction,
                other => {
                    let personal = PERSONAL.iter().find(|name| **name == other);
                    if let Some(name) = personal {
                        let Presence(present) = map.next_value()?;
                        if present && !seen.dropped.contains(name) {
                            seen.dropped.push(name);
                        }
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                    continue;
                }
            };
            *field = map.next_value()?;
        }
        Ok(seen)
    }
}

impl<'de> Deserialize<'de> for Seen<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SeenVisitor)
    }
}

/// Whether a field holds anything; what it holds is not looked at.
struct Presence(bool);

struct PresenceVisitor;

impl<'de> Visitor<'de> for PresenceVisitor {
    type Value = Presence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Presence, E> {
        Ok(Presence(!text.is_empty()))
    }

    fn visit_unit<E>(self) -> Result<Presence, E> {
        Ok(Presence(false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Presence, A::Error> {
        let mut present = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            present = true;
        }
        Ok(Presence(present))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Presence, A::Error> {
        let mut present = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            present = true;
        }
        Ok(Presence(present))
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresenceVisitor)
    }
}

/// The fields that tell of a person or of a person's car, to say by name that they were left behind.
#[rustfmt::skip]
const PERSONAL: &[&str] = &[
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
