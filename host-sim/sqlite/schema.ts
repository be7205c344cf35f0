// The tables of the services' database. Artifacts are kept as the JSON they came as, beside what they are looked up by.

/** Goes up with every change of the tables. */
export const SCHEMA_VERSION = 2;

/** Begins a transaction that whoever runs it commits: half of the tables are none. */
export const SCHEMA = `
BEGIN;
CREATE TABLE policies (policyHash TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE grants (grantId TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE revocations (turn INTEGER PRIMARY KEY, grantId TEXT NOT NULL UNIQUE, revokedAtMs INTEGER NOT NULL);
-- All that were ever issued. Those that another stands in for are in no index that is asked: they cost an answer nothing.
CREATE TABLE bundles (
  turn INTEGER PRIMARY KEY, identity TEXT NOT NULL, category TEXT NOT NULL, merchant TEXT NOT NULL, region TEXT NOT NULL,
  issuedAtMs INTEGER NOT NULL, expiresAtMs INTEGER NOT NULL, document TEXT NOT NULL, isNewest INTEGER NOT NULL
);
CREATE UNIQUE INDEX bundleOfIdentity ON bundles (identity) WHERE isNewest = 1;
CREATE INDEX bundlesByCategory ON bundles (category, merchant, region, expiresAtMs) WHERE isNewest = 1;
CREATE INDEX bundlesByMerchant ON bundles (merchant, region, expiresAtMs) WHERE isNewest = 1;
CREATE INDEX bundlesByRegion ON bundles (region, expiresAtMs) WHERE isNewest = 1;
CREATE INDEX bundlesInForce ON bundles (expiresAtMs) WHERE isNewest = 1;
CREATE INDEX bundlesByTime ON bundles (issuedAtMs);
CREATE TRIGGER bundleSuperseded BEFORE INSERT ON bundles WHEN NEW.isNewest = 1 BEGIN
  UPDATE bundles SET isNewest = 0 WHERE identity = NEW.identity AND isNewest = 1;
END;
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
