// The project's data partitions, by their labels in manifests/partitions/*.csv.

/** A label has 16 characters at most, its zero included. */
export const PARTITION = Object.freeze({
  provisioning: 'mpcp_prov',
  bundles: 'mpcp_bundles',
  keyTables: 'mpcp_keys',
  ledger: 'mpcp_ledger',
  journal: 'mpcp_journal',
});
