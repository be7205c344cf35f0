// The tables of the services' database. Artifacts are kept as the JSON they came as, beside what they are looked up by.

/** Goes up with every change of the tables. */
export const SCHEMA_VERSION = 1;

/** Begins a transaction that whoever runs it commits: half of the tables are none. */
export const SCHEMA = `
BEGIN;
CREATE TABLE policies (policyHash TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE grants (grantId TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE revocations (turn INTEGER PRIMARY KEY, grantId TEXT NOT NULL UNIQUE, revokedAtMs INTEGER NOT NULL);
CREATE TABLE bundles (turn INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE authorityKeys (keyId TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE receipts (
  deviceId TEXT NOT NULL, chain INTEGER NOT NULL, receiptId INTEGER NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (deviceId, chain, receiptId)
) WITHOUT ROWID;
CREATE TABLE receiptGrants (grantKey TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE evidence (
  turn INTEGER PRIMARY KEY, deviceId TEXT NOT NULL, chain INTEGER NOT NULL, said TEXT NOT NULL, document TEXT NOT NULL,
  UNIQUE (deviceId, chain, said)
);
CREATE TABLE chains (turn INTEGER PRIMARY KEY, deviceId TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE operatorKeys (sha256 TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
-- Amounts are digits: they are longer than SQLite's integers.
CREATE TABLE spends (account TEXT PRIMARY KEY, most TEXT NOT NULL, taken TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE devices (deviceId TEXT PRIMARY KEY, seenAtMs INTEGER NOT NULL, state TEXT) WITHOUT ROWID;
`;
