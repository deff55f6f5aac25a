//! What a condition can only be true for, read from the expression itself: a rule for one place need not be looked at elsewhere.

use ::cel::common::ast::{Expr, LiteralValue};

const AND: &str = "_&&_";
const EQUALS: &str = "_==_";

/// The id of the one place at which the expression can be true: `event.place.id == '…'`, alone or joined to others by `&&`.
pub(super) fn place_of(expression: &Expr) -> Option<&str> {
    let Expr::Call(call) = expression else { return None };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (AND, operands) => operands.iter().find_map(|operand| place_of(&operand.expr)),
        (EQUALS, [left, right]) => match (&left.expr, &right.expr) {
            (field, Expr::Literal(LiteralValue::String(id))) | (Expr::Literal(LiteralValue::String(id)), field)
                if is_place_id(field) =>
            {
                Some(id.inner())
            }
            _ => None,
        },
        _ => None,
    }
}

/// True for `event.place.id`.
fn is_place_id(expression: &Expr) -> bool {
    let field = |expression: &Expr| match expression {
        Expr::Select(select) if !select.test => Some((select.field.clone(), select.operand.expr.clone())),
        _ => None,
    };
    let Some((id, operand)) = field(expression) else { return false };
    let Some((place, event)) = field(&operand) else { return false };
    id == "id" && place == "place" && event == Expr::Ident("event".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::cel::Condition;

    #[test]
    fn only_a_condition_that_is_false_elsewhere_names_its_place() {
        let place = |text: &str| Condition::compile(text).unwrap().place().map(ToString::to_string);
        for text in [
            "event.place.id == 's-1'",
            "'s-1' == event.place.id",
            "local.hour < 6 && (event.zone == 'x' && event.place.id == 's-1') && event.count > 2",
        ] {
            assert_eq!(place(text).as_deref(), Some("s-1"), "{text}");
        }
        for text in [
            "event.place.id == 's-1' || local.hour < 6",
            "!(event.place.id == 's-1')",
            "event.place.id != 's-1'",
            "event.place.id == 's-1' ? local.hour < 6 : true",
            "event.device.id == 's-1'",
            "event.place.id == event.device.id",
            "has(event.place.id)",
        ] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
