// What a firmware of one's own takes from here: what a device needs of the core, and what adapts it to the Moddable SDK.

// Not all of core/index.ts: with native Ed25519 the core's own, and its tables, would take flash for nothing.
export type { PaymentRequest } from '../core/chain/request.ts';
export * from '../core/charging/session.ts';
export { ConfigurationError, deploymentProblems, type Site, type SiteConfiguration } from '../core/configuration.ts';
export {
  presentationFromAuthorization,
  presentationFromAuthorizationBytes,
  presentationFromBase64,
} from '../core/intake/http-authorization.ts';
export { FlashLedger } from '../core/ledger/flash-ledger.ts';
export { Journal } from '../core/ledger/journal.ts';
export type { HttpOrder, Server } from '../core/network/http-client.ts';
export { FlashWindow } from '../core/ports/flash-window.ts';
export * from '../core/ports/ports.ts';
export { admitCounter, newestCounter } from '../core/provisioning/counter.ts';
export { readProvisioning, writeProvisioning } from '../core/provisioning/partition.ts';
export { type Provisioning, ProvisioningProblem, type Wiring } from '../core/provisioning/provisioning.ts';
export { BundleRefresh } from '../core/refresh/bundle-refresh.ts';
export { Uploader } from '../core/refresh/upload.ts';
export { BundlePartition } from '../core/trust/bundle-partition.ts';
export { type Decision, Verifier } from '../core/verifier.ts';
export { firmwareGood, random, random32 } from './firmware/board.ts';
export { PARTITION } from './firmware/partitions.ts';
export { setUp } from './firmware/set-up.ts';
export { type Device, StartProblem, startDevice } from './firmware/start.ts';
export { Till, type TillParts } from './firmware/till.ts';
export { openButton } from './io/button.ts';
export { Output, type OutputPin, Relay, relayOf } from './io/outputs.ts';
export { PulseInput } from './io/pulse-input.ts';
export { SerialWriter } from './io/serial-writer.ts';
export { HttpEndpoint } from './network/http-endpoint.ts';
export { HttpsClient } from './network/https.ts';
export { Network, type NetworkSettings } from './network/network.ts';
export { DeviceClock } from './ports/clock.ts';
export { createDeviceCrypto } from './ports/crypto.ts';
export { PartitionFlash } from './ports/flash.ts';
export { SerialLog } from './ports/log.ts';
