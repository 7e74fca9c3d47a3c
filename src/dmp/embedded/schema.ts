/**
 * The database of the embedded DMP: its tables, and how a connection must be set before anything is trusted to it.
 *
 * Few indexes, on purpose: each one costs a page written per row. The document table is its own covering index: rows
 * of one patient lie together, newest first, and hold what the guard must know; objects in full and bytes stand apart
 * and are only appended.
 */
import { DatabaseSync } from 'node:sqlite'
import { authorisedIndex } from './authorised.ts'
import { deliveryTables } from './deliveries.ts'
import { outboxTables } from './outbox.ts'

/** Raised with every change of the tables below; a database of a later version is not opened. */
const VERSION = 1

const tables = `
CREATE TABLE patient (
  no INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,              -- OID|value
  demographics TEXT NOT NULL,            -- JSON
  opened_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  closed_at TEXT,
  brain_death INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What the patient has chosen; no row: the defaults of the DMP.
CREATE TABLE choices (
  patient_no INTEGER PRIMARY KEY,
  consultation_opposed INTEGER NOT NULL DEFAULT 0,
  feed_opposed INTEGER NOT NULL DEFAULT 0,
  break_glass_permitted INTEGER NOT NULL DEFAULT 1,
  regulation_permitted INTEGER NOT NULL DEFAULT 1,
  masked_in_emergency_permitted INTEGER NOT NULL DEFAULT 0,
  mask_by_default INTEGER NOT NULL DEFAULT 0,
  initial_consent INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE blocked (
  patient_no INTEGER NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (patient_no, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE treating_physician (
  patient_no INTEGER NOT NULL, role TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (patient_no, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE authorisation (
  patient_no INTEGER NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL, until TEXT,
  PRIMARY KEY (patient_no, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE information (
  patient_no INTEGER NOT NULL, structure TEXT NOT NULL, scope TEXT NOT NULL, episode TEXT NOT NULL,
  means TEXT, collected_by TEXT, at TEXT NOT NULL,
  PRIMARY KEY (patient_no, structure, scope, episode)
) STRICT, WITHOUT ROWID;

-- Every registry object: entries, submission sets, folders, associations, in full as JSON, only appended. What may change
-- later (status, lastUpdateTime) is read from columns. unique_id is unique among objects, but for versions of one entry and
-- where the same document may come twice; the writer sees to it.
CREATE TABLE object (
  no INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,             -- entryUUID
  logical_no INTEGER,                    -- version 1 of this object; NULL: itself
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  patient_no INTEGER NOT NULL,
  unique_id TEXT,
  hash TEXT,                             -- of an entry
  created TEXT,                          -- of an entry: finds its row below, which has its status
  status TEXT,                           -- of what is no entry
  updated_at TEXT NOT NULL,
  json BLOB NOT NULL
) STRICT;
CREATE INDEX object_unique_id ON object (unique_id) WHERE unique_id IS NOT NULL;
CREATE INDEX object_package ON object (patient_no) WHERE kind IN ('SubmissionSet', 'Folder');
CREATE INDEX object_later_version ON object (logical_no) WHERE logical_no IS NOT NULL;

-- What the guard must know of a document; one row per metadata version. created: DTM, '' where unknown.
CREATE TABLE document_entry (
  patient_no INTEGER NOT NULL,
  created TEXT NOT NULL,
  entry_uuid TEXT NOT NULL,
  object_no INTEGER NOT NULL,
  content_no INTEGER,
  logical_id TEXT,                       -- NULL: entry_uuid
  version INTEGER NOT NULL,
  latest INTEGER NOT NULL,
  status TEXT NOT NULL,
  on_demand INTEGER NOT NULL,
  unique_id TEXT NOT NULL,
  class_code TEXT, class_system TEXT,
  type_code TEXT, type_system TEXT,
  confidentiality TEXT NOT NULL,         -- JSON: Code[]
  author_persons TEXT NOT NULL,          -- JSON: string[]
  deposited_by TEXT NOT NULL,
  feeding_structure TEXT,
  deposited_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,   -- changes of status since this version was made
  PRIMARY KEY (patient_no, created DESC, entry_uuid)
) STRICT, WITHOUT ROWID;

-- Ends as object numbers, which grow: these indexes are appended to. current: no end has a later version.
CREATE TABLE association (
  no INTEGER PRIMARY KEY, type TEXT NOT NULL, source_no INTEGER NOT NULL, target_no INTEGER NOT NULL,
  current INTEGER NOT NULL
) STRICT;
CREATE INDEX association_source ON association (source_no);
CREATE INDEX association_target ON association (target_no);

-- Bytes of a document: here, or in content/xx/<file>. Every entry has its own, the same bytes or not.
CREATE TABLE content (
  no INTEGER PRIMARY KEY, sha1 TEXT NOT NULL, size INTEGER NOT NULL, bytes BLOB, file TEXT,
  CHECK ((bytes IS NULL) <> (file IS NULL))
) STRICT;
CREATE UNIQUE INDEX content_file ON content (file) WHERE file IS NOT NULL;

-- The trace. The columns besides json only serve the search: verifyChain compares them with it.
CREATE TABLE access_log (
  sequence INTEGER PRIMARY KEY, patient TEXT, person TEXT, at TEXT NOT NULL, json BLOB NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE INDEX access_log_patient ON access_log (patient, sequence) WHERE patient IS NOT NULL;
CREATE TRIGGER access_log_no_update BEFORE UPDATE ON access_log
  BEGIN SELECT RAISE(ABORT, 'access_log is append-only'); END;
CREATE TRIGGER access_log_no_delete BEFORE DELETE ON access_log
  BEGIN SELECT RAISE(ABORT, 'access_log is append-only'); END;

CREATE TABLE notification (
  no INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, patient_no INTEGER NOT NULL, kind TEXT NOT NULL,
  recipient TEXT NOT NULL, text TEXT NOT NULL, documents TEXT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE INDEX notification_patient ON notification (patient_no);

CREATE TABLE probe (no INTEGER PRIMARY KEY, at TEXT NOT NULL, count INTEGER NOT NULL) STRICT;
`

/**
 * Opens the one connection that writes, makes the tables of a new database, and asserts what durability rests on.
 * Throws Error with a line for the operator when the file is of a later version or the settings do not hold.
 * @param maxBytes size the database may grow to; a write beyond it fails as a full disk does
 */
export function openForWriting(file: string, maxBytes?: number): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: false })
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
    // The log shrinks back to 64 MiB after a burst; pages in use, and what a statement may have to undo, stay in memory.
    db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
    // What is deleted or replaced is overwritten with zeros: a record that was destroyed leaves nothing in free space.
    db.exec('PRAGMA secure_delete = ON')
    assertSetting(db, 'journal_mode', 'wal')
    assertSetting(db, 'synchronous', 2)
    assertSetting(db, 'wal_autocheckpoint', 4000)
    assertSetting(db, 'secure_delete', 1)
    if (maxBytes !== undefined) {
      const pageSize = Number(setting(db, 'page_size'))
      db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`)
    }
    makeTables(db, file)
    db.exec(outboxTables + deliveryTables + authorisedIndex)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens a connection that reads what is committed. Its statements must be run to their end at once: an open one holds
 * a snapshot, and the log cannot be taken back into the database behind it. */
export function openForReading(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  db.exec('PRAGMA cache_size = -32768')
  return db
}

function makeTables(db: DatabaseSync, file: string): void {
  const version = Number(setting(db, 'user_version'))
  if (version === VERSION) return
  if (version !== 0)
    throw new Error(`${file} was written by a later version of dmp-gateway (${version}): start that version instead`)
  db.exec(`BEGIN IMMEDIATE; ${tables} PRAGMA user_version = ${VERSION}; COMMIT`)
}

function setting(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}

function assertSetting(db: DatabaseSync, name: string, expected: string | number): void {
  const actual = setting(db, name)
  if (actual !== expected)
    throw new Error(`the database does not hold ${name} = ${expected} (it says ${String(actual)}): nothing is durable`)
}
