//! The function of the blog post that introduced REEF, against the published crates: it reads the integer column
//! `creation_timestamp` (Unix seconds, UTC) and returns the column `moment`.
use chrono::{DateTime, Timelike};
use rline_api::row::Row;
use rline_api::value::Value;
use rline_macro::rline_bindgen;

#[rline_bindgen]
fn moment(row: Row) -> Result<Row, String> {
    let seconds = *row
        .get("creation_timestamp")
        .ok_or("column creation_timestamp is missing")?
        .as_integer()
        .map_err(|error| error.to_string())?;
    if cfg!(feature = "traps") && seconds % 100 == 7 {
        panic!("a time that ends in 07");
    }
    let time = DateTime::from_timestamp(seconds as i64, 0).ok_or("creation_timestamp is out of range")?;
    let moment = match (time.hour(), time.minute()) {
        (0, 0) => "midnight",
        (12, 0) => "midday",
        (hour, _) if hour <= 8 || hour >= 20 => "night",
        _ => "day",
    };
    Ok(Row::from([("moment".to_string(), Value::String(moment.to_string()))]))
}
