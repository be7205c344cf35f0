// What the core offers to the programs around it: the verifier, its configuration, the ports, the ledger.

export { totalFrom } from './artifacts/amount.ts';
export { timeFrom } from './artifacts/time.ts';
export {
  BOOT_STEPS,
  Boot,
  type BootedDevice,
  type BootParts,
  type BootStep,
  type BootStepReport,
} from './boot/boot.ts';
export { type DeviceFlash, layoutProblems, type PlacedPartition } from './boot/partition-layout.ts';
export {
  keyFingerprint,
  type RootKeyKeeper,
  RootKeySetup,
  type RootKeySetupParts,
  type RootKeyStep,
  type ShownKey,
} from './boot/root-key-setup.ts';
export { type DeviceState, deviceState, type StateParts, type StateReason, stateDocument } from './boot/state.ts';
export { BUILD_TIME_MS } from './build-time.ts';
export {
  type CborObject,
  type CborValue,
  cborMember,
  cborNames,
  isCborObject,
  readCbor,
  readCborWithBytes,
} from './cbor/reader.ts';
export { CHAIN, type TraceEntry } from './chain/chain.ts';
export type { PaymentRequest } from './chain/request.ts';
export {
  ConfigurationError,
  deploymentProblems,
  type Profile,
  type Site,
  type SiteConfiguration,
  type Terminal,
  type Unit,
} from './configuration.ts';
export { KeyTables } from './ed25519/key-tables.ts';
export { ed25519FromSpkiPem } from './encoding/der.ts';
export { type Domain, domainHash } from './hash/domains.ts';
export {
  presentationFromAuthorization,
  presentationFromAuthorizationBytes,
  presentationFromBase64,
} from './intake/http-authorization.ts';
export { type HttpFault, type HttpRequest, HttpRequestReader } from './intake/http-request.ts';
export { decisionResponse, type HttpStatus, httpResponse, noPaymentResponse } from './intake/http-response.ts';
export { decisionData, type SerialDevice, SerialEndpoint } from './intake/serial-endpoint.ts';
export {
  FRAME_TYPES,
  type FrameFault,
  FrameReader,
  SERIAL_VERSION,
  type SerialFrame,
  writeFrame,
} from './intake/serial-frame.ts';
export { canonicalBytes, canonicalText } from './json/canonical.ts';
export { JsonProblem, readJson } from './json/reader.ts';
export type { JsonArray, JsonObject, JsonValue } from './json/value.ts';
export { FlashLedger, type LedgerFill } from './ledger/flash-ledger.ts';
export {
  type AcknowledgeRefusal,
  Journal,
  type JournalDamage,
  type JournalEntry,
  type JournalFill,
  type JournalReceipt,
  type JournalRefusal,
} from './ledger/journal.ts';
export type { LedgerRefusal, OpenReservation, Receipt, Spend, SpendLedger } from './ledger/ledger.ts';
export { MemoryLedger, type StartingTotals } from './ledger/memory-ledger.ts';
export { type ReceiptFault, readReceipt, receiptHashOf } from './ledger/receipt-document.ts';
export type { StoreOptions } from './ledger/store-options.ts';
export * from './limits.ts';
export { FlashWindow } from './ports/flash-window.ts';
export { cryptoWithHashes, type NativeHashes } from './ports/own-ed25519.ts';
export { createPortableCrypto } from './ports/portable-crypto.ts';
export * from './ports/ports.ts';
export { type ArtifactName, describeCode, type ReasonCode, type Refusal, reasonCodes } from './reason-codes.ts';
export {
  BundleFetch,
  type FetchFailure,
  type FetchOrder,
  type FetchResult,
  type HeaderOf,
} from './refresh/bundle-fetch.ts';
export {
  asksForRefresh,
  BundleRefresh,
  REFRESH_HEADER,
  type RefreshConditions,
  type RefreshParts,
  type RefreshStep,
} from './refresh/bundle-refresh.ts';
export type { RevocationAnswer, RevocationChecks, RevocationQuestion } from './refresh/revocation.ts';
export type { OnRevocationFailure, RefreshConfiguration, RevocationConfiguration } from './refresh/settings.ts';
export {
  type UploadBatch,
  Uploader,
  type UploadFailure,
  type UploadOptions,
  type UploadResult,
  type UploadStep,
} from './refresh/upload.ts';
export type { BundleSource } from './trust/admission.ts';
export { BundlePartition, bundlePartitionBytes } from './trust/bundle-partition.ts';
export type { BundleScope, IssuerRule, PinnedKey, PinnedRole, RootKey } from './trust/configuration.ts';
export {
  type Admission,
  type Approval,
  type BundleIntake,
  type Closing,
  type Decision,
  type DecisionOptions,
  type ReservationLeft,
  type SetAdmission,
  type Verdict,
  Verifier,
  type VerifierParts,
} from './verifier.ts';
