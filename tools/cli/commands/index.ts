// Every command of the command line, in the order `--help` shows them.

import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { register as bench } from './bench.ts';
import { register as benchEmergency } from './bench-emergency.ts';
import { register as benchFleet } from './bench-fleet.ts';
import { register as benchLedger } from './bench-ledger.ts';
import { register as benchProvision } from './bench-provision.ts';
import { register as benchXs } from './bench-xs.ts';
import { register as bundle } from './bundle.ts';
import { register as conform } from './conform.ts';
import { register as demo } from './demo.ts';
import { register as doctor } from './doctor.ts';
import { register as fleetPolicy } from './fleet-policy.ts';
import { register as gateway } from './gateway.ts';
import { register as grant } from './grant.ts';
import { register as intent } from './intent.ts';
import { register as keys } from './keys.ts';
import { register as ledger } from './ledger.ts';
import { register as pa } from './pa.ts';
import { register as policy } from './policy.ts';
import { register as powercut } from './powercut.ts';
import { register as present } from './present.ts';
import { register as provision } from './provision.ts';
import { register as sba } from './sba.ts';
import { register as sim } from './sim.ts';
import { register as simExposure } from './sim-exposure.ts';
import { register as simSoak } from './sim-soak.ts';
import { register as spa } from './spa.ts';
import { register as testXs } from './test-xs.ts';
import { register as verify } from './verify.ts';
import { register as xsRun } from './xs-run.ts';

/** Adds one command, or a group of them, to the program. */
export type Register = (program: Command, io: Io) => void;

/** All of them. */
export const commands: readonly Register[] = [
  keys,
  policy,
  grant,
  sba,
  spa,
  intent,
  fleetPolicy,
  present,
  bundle,
  verify,
  pa,
  gateway,
  provision,
  ledger,
  conform,
  bench,
  benchEmergency,
  benchFleet,
  benchLedger,
  benchProvision,
  benchXs,
  powercut,
  sim,
  simExposure,
  simSoak,
  testXs,
  xsRun,
  doctor,
  demo,
];
