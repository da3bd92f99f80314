//! Looking at the rows without being noticed: what everybody sees, and what an open transaction has made of it.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Failure, SqlStore, SqlValue, run};

/// The rows of a database: by table and key, the columns that are not of the key.
pub(crate) type Rows = BTreeMap<(String, String), Vec<(String, String)>>;

impl SqlStore {
    /// The rows that are committed, and the rows as the transaction sees them that holds the write lock, if there is
    /// one. A table that cannot be read is left out.
    pub(crate) fn look(&mut self) -> Result<(Rows, Option<Rows>), Failure> {
        if self.files.is_none() {
            return Ok((Rows::new(), None));
        }
        // Not through a client's connection: a transaction that has read nothing yet would take its snapshot.
        let looker = match self.looker.take() {
            Some(looker) => looker,
            None => self.new_slot()?,
        };
        let committed = rows(&looker.connection);
        self.looker = Some(looker);
        let written = self.writer.map(|writer| rows(&self.slots[writer].connection)).transpose()?;
        Ok((committed?, written))
    }
}

fn rows(connection: &Connection) -> Result<Rows, Failure> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut found = Rows::new();
    for table in run(connection, tables, &[])?.rows.iter().flatten().filter_map(SqlValue::as_text) {
        let _ = add(connection, table, &mut found);
    }
    Ok(found)
}

fn add(connection: &Connection, table: &str, found: &mut Rows) -> Result<(), Failure> {
    let columns = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    let keys = run(connection, columns, &[SqlValue::Text(table.to_owned())])?.rows;
    let keys: Vec<&str> = keys.iter().flatten().filter_map(SqlValue::as_text).collect();
    let row_id = if keys.is_empty() { "rowid, " } else { "" };
    let name = table.replace('"', "\"\"");
    let reply = run(connection, &format!("SELECT {row_id}* FROM \"{name}\""), &[])?;
    for row in reply.rows {
        let mut values = row.into_iter().map(|value| value.to_string());
        let mut key = Vec::new();
        if keys.is_empty() {
            key.extend(values.next().map(|id| format!("row {id}")));
        }
        let mut rest = Vec::new();
        for (column, value) in reply.columns.iter().skip(row_id.len().min(1)).zip(values) {
            if keys.contains(&column.as_str()) {
                key.push(format!("{column} {value}"));
            } else {
                rest.push((column.clone(), value));
            }
        }
        found.insert((table.to_owned(), key.join(", ")), rest);
    }
    Ok(())
}
