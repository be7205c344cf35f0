// `bench-emergency`: how long it takes from an operator's message until the devices of a fleet refuse a revoked key, over a real broker.

import { BrokerProblem, whyNoBroker } from '../../../host-sim/broker/mosquitto.ts';
import {
  type EmergencyBench,
  type EmergencyBenchOptions,
  runEmergencyBench,
  type Times,
} from '../../bench/emergency.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

/** Adds `bench-emergency`. */
export const register: Register = (program, io) => {
  const bench = program
    .command('bench-emergency')
    .description(
      'Measure an emergency refresh: from a message at a real broker until each device refuses the revoked key.',
    )
    .option('--devices <n>', 'devices that are connected', wholeNumber(1, 2000), 200)
    .option('--no-spread', 'leave out the half minute over which devices spread their requests')
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded bench-emergency --devices 50\nExit code 1 where a device goes on taking the revoked key.',
    )
    .action(async (options: EmergencyBenchOptions) => {
      const why = whyNoBroker();
      if (why !== undefined) {
        io.result({ skipped: why }, `skipped: ${why}`);
        return;
      }
      try {
        const report = await runEmergencyBench(options, io.note);
        io.result(report, text(report));
      } catch (error) {
        if (!(error instanceof BrokerProblem)) throw error;
        io.note(error.message);
        io.fail();
      }
    });
  jsonOption(bench);
};

function text({ devices, bundleBytes, spread, atOnce, fetched }: EmergencyBench): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const row = (what: string, { first, median, last }: Times) => [what, ...[first, median, last].map(seconds)];
  return [
    tableText(
      [`${devices} devices, seconds from the message`, 'first', 'median', 'last'],
      [
        row('at once: told', atOnce.told),
        row('at once: refuses the key', atOnce.refused),
        ...(spread === undefined
          ? []
          : [
              row('spread: told', spread.told),
              row('spread: asks for the bundle', spread.asked),
              row('spread: refuses the key', spread.refused),
              row('spread: of each, from asking until it refuses', spread.each),
            ]),
      ],
      1,
    ),
    `floor: the same ${bundleBytes} bytes fetched ${devices} times in ${seconds(fetched.inTurnMs)} s one after another, in ${seconds(fetched.atOnceMs)} s all at once`,
  ].join('\n');
}
