//! The committed contents of a database as bytes, for those who keep states and compare them.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Appends the schema in the order of its making, and every row of every table in the order of the table. Two databases
/// with equal bytes give equal replies to every sequence of statements: indices and the order of rows without `ORDER BY`
/// follow from them.
pub(super) fn write(connection: &Connection, out: &mut Vec<u8>) -> rusqlite::Result<()> {
    let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid";
    rows(connection, schema, out)?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY rowid";
    let mut statement = connection.prepare_cached(tables)?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let quoted = format!("\"{}\"", table.replace('"', "\"\""));
        match row_id(connection, &quoted)? {
            Some(row_id) => {
                rows(connection, &format!("SELECT {row_id}, * FROM {quoted} NOT INDEXED ORDER BY {row_id}"), out)?
            }
            None => rows(connection, &format!("SELECT * FROM {quoted} NOT INDEXED"), out)?,
        }
    }
    Ok(())
}

/// A name for the row id that no column of the table has taken; `None` for a table without row ids.
fn row_id(connection: &Connection, quoted: &str) -> rusqlite::Result<Option<&'static str>> {
    let columns: Vec<String> = {
        let statement = connection.prepare_cached(&format!("SELECT * FROM {quoted}"))?;
        statement.column_names().map(|name| name.to_ascii_lowercase()).collect()
    };
    let free = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !columns.iter().any(|column| column == name));
    // Without row ids there is no such column.
    Ok(free.filter(|name| connection.prepare_cached(&format!("SELECT {name} FROM {quoted}")).is_ok()))
}

/// Appends the rows of a query, each value with its type, and their number.
fn rows(connection: &Connection, sql: &str, out: &mut Vec<u8>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let width = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        out.push(1);
        for at in 0..width {
            value(row.get_ref(at)?, out);
        }
    }
    out.push(0);
    Ok(())
}

fn value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    let mut long = |kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        ValueRef::Null => out.push(0),
        ValueRef::Integer(n) => long(1, &n.to_le_bytes()),
        ValueRef::Real(x) => long(2, &x.to_bits().to_le_bytes()),
        ValueRef::Text(text) => long(3, text),
        ValueRef::Blob(blob) => long(4, blob),
    }
}
