// What a firmware of one's own takes from here: the core, and what adapts it to the Moddable SDK.

export * from '../core/charging/session.ts';
export * from '../core/index.ts';
export { admitCounter, newestCounter } from '../core/provisioning/counter.ts';
export { readProvisioning, writeProvisioning } from '../core/provisioning/partition.ts';
export { type Provisioning, ProvisioningProblem, type Wiring } from '../core/provisioning/provisioning.ts';
export { firmwareGood, random, random32 } from './firmware/board.ts';
export { PARTITION } from './firmware/partitions.ts';
export { type Device, StartProblem, startDevice } from './firmware/start.ts';
export { Output, type OutputPin, Relay } from './io/outputs.ts';
export { PulseInput } from './io/pulse-input.ts';
export { SerialWriter } from './io/serial-writer.ts';
export { DeviceClock } from './ports/clock.ts';
export { createDeviceCrypto } from './ports/crypto.ts';
export { PartitionFlash } from './ports/flash.ts';
export { SerialLog } from './ports/log.ts';
