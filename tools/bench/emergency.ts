// An emergency refresh, measured: a fleet with real sockets at Debian's mosquitto, from the moment that the operator publishes until
// each device refuses the revoked key, beside what fetching the same bundle takes for as many clients.

import { Mosquitto } from '../../host-sim/broker/mosquitto.ts';
import { EmergencyFleet, type FleetDevice } from '../../host-sim/emergency/fleet.ts';

/** Milliseconds until the first device, the median one, and the last. */
export interface Times {
  readonly first: number;
  readonly median: number;
  readonly last: number;
}

/** One message, and what it led to, in milliseconds from when it was published. */
export interface EmergencyRound {
  readonly told: Times;
  readonly asked: Times;
  readonly refused: Times;
  /** Of each device: from its request until it refuses. */
  readonly each: Times;
}

/** What a run came to. */
export interface EmergencyBench {
  readonly devices: number;
  /** Bytes of the bundle set. */
  readonly bundleBytes: number;
  /** Requests spread over half a minute, as devices do; left out where nobody wanted to wait for it. */
  readonly spread?: EmergencyRound;
  /** All devices ask when they are told: their clocks leap past that. */
  readonly atOnce: EmergencyRound;
  /** The floor: the same bundle fetched as often by a client that does nothing with it, one after another and all at once. */
  readonly fetched: { readonly inTurnMs: number; readonly atOnceMs: number };
}

/** How long a fleet has to start, and a round to be over, in milliseconds. */
const PATIENCE_MS = 300_000;

/** How large a run is. */
export interface EmergencyBenchOptions {
  readonly devices: number;
  readonly spread: boolean;
}

/**
 * Runs it.
 *
 * @param note is told what is going on
 * @throws BrokerProblem where no broker starts; Error where a device does not refuse
 */
export async function runEmergencyBench(
  { devices, spread }: EmergencyBenchOptions,
  note: (text: string) => void,
): Promise<EmergencyBench> {
  const fleet = new EmergencyFleet({ devices });
  const broker = await Mosquitto.start(fleet.passwords);
  try {
    await fleet.open();
    note(`${devices} devices connect`);
    const { host, port, topic, certificate } = broker;
    fleet.start({ host, port, topic }, certificate);
    await fleet.ready(PATIENCE_MS);
    note('all ask when they are told');
    const atOnce = await round(fleet, broker, false);
    let asDevicesDo: EmergencyRound | undefined;
    if (spread) {
      await fleet.revoke(false);
      await fleet.refreshed();
      note('they spread their requests');
      asDevicesDo = await round(fleet, broker, true);
    }
    note('the floor');
    const fetched = await floor(fleet);
    const bundleBytes = (await bundles(fleet)).byteLength;
    return { devices, bundleBytes, atOnce, ...(asDevicesDo && { spread: asDevicesDo }), fetched };
  } finally {
    await fleet.close();
    await broker.close();
  }
}

async function round(fleet: EmergencyFleet, broker: Mosquitto, isSpread: boolean): Promise<EmergencyRound> {
  const good = await fleet.payment();
  for (const device of fleet.devices) {
    const decision = device.pay(good);
    if (!decision.ok) throw new Error(`${device.deviceId} refuses before anything was revoked: ${decision.code}`);
    device.times = {};
    device.isSpread = isSpread;
  }
  await fleet.revoke();
  const stolen = await fleet.payment();
  const beganMs = performance.now();
  // Whoever is told early is asked before the operator's program has ended.
  await Promise.all([broker.publish(), fleet.refused(stolen, fleet.devices, PATIENCE_MS)]);
  const since = (of: (device: FleetDevice) => number | undefined) =>
    timesOf(fleet.devices.map((device) => (of(device) as number) - beganMs));
  return {
    told: since(({ times }) => times.toldMs),
    asked: since(({ times }) => times.askedMs),
    refused: since(({ times }) => times.refusedMs),
    each: timesOf(fleet.devices.map(({ times }) => (times.refusedMs as number) - (times.askedMs as number))),
  };
}

function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    first: sorted[0] as number,
    median: sorted[sorted.length >> 1] as number,
    last: sorted.at(-1) as number,
  };
}

async function bundles(fleet: EmergencyFleet): Promise<ArrayBuffer> {
  const response = await fetch(fleet.bundleUrl, { headers: { connection: 'close' } });
  return response.arrayBuffer();
}

async function floor(fleet: EmergencyFleet): Promise<EmergencyBench['fetched']> {
  const beganMs = performance.now();
  for (const _ of fleet.devices) await bundles(fleet);
  const inTurnMs = performance.now() - beganMs;
  const againMs = performance.now();
  await Promise.all(fleet.devices.map(() => bundles(fleet)));
  return { inTurnMs, atOnceMs: performance.now() - againMs };
}
