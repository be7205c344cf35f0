// What every spend ledger does, whatever it keeps its records on.

import { describe, expect, it } from 'vitest';
import type { SpendLedger } from '../../../core/ledger/ledger.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { key, newest, receipt, spend } from '../../fixtures/spends.ts';

/** Registers the tests; `again` gives the same ledger after a restart, or itself where it keeps nothing. */
export function ledgerContract(open: () => { ledger: SpendLedger; again: () => SpendLedger }): void {
  /** Runs the same expectations before and after a restart. */
  function both(prepare: (ledger: SpendLedger) => void, check: (ledger: SpendLedger) => void): void {
    const { ledger, again } = open();
    prepare(ledger);
    check(ledger);
    check(again());
  }

  describe('totals', () => {
    it('are zero for what was never paid for', () => {
      both(
        () => {},
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(0n);
          expect(ledger.budgetTotal(key('b'))).toBe(0n);
        },
      );
    });

    it('add up by grant and by budget', () => {
      both(
        (ledger) => {
          receipt(ledger.authorize(spend()));
          receipt(ledger.authorize(spend({ budget: key('b2'), amount: 5n })));
          receipt(ledger.authorize(spend({ grant: key('g2'), amount: 7n })));
        },
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(15n);
          expect(ledger.grantTotal(key('g2'))).toBe(7n);
          expect(ledger.budgetTotal(key('b'))).toBe(17n);
          expect(ledger.budgetTotal(key('b2'))).toBe(5n);
        },
      );
    });

    it('hold amounts of 38 digits', () => {
      const most = 10n ** 38n - 1n;
      both(
        (ledger) => {
          receipt(ledger.authorize(spend({ amount: most })));
          receipt(ledger.authorize(spend({ amount: most })));
        },
        (ledger) => expect(ledger.grantTotal(key('g'))).toBe(2n * most),
      );
    });
  });

  describe('replay ids', () => {
    it('are seen once recorded', () => {
      both(
        (ledger) => void receipt(ledger.authorize(spend({ replay: key('r') }))),
        (ledger) => {
          expect(ledger.seen(key('r'))).toBe(true);
          expect(ledger.seen(key('other'))).toBe(false);
        },
      );
    });

    it('stay seen after a release', () => {
      both(
        (ledger) => {
          const { receiptId } = receipt(ledger.reserve(spend({ replay: key('r') })));
          receipt(ledger.release(receiptId, NOW));
        },
        (ledger) => expect(ledger.seen(key('r'))).toBe(true),
      );
    });
  });

  describe('idempotency keys', () => {
    it('have the answer that was given, and what it was given for', () => {
      both(
        (ledger) => void receipt(ledger.authorize(spend({ idempotency: key('i'), timeMs: NOW + 5 }))),
        (ledger) => {
          expect(ledger.answered(key('i'))).toMatchObject({ amount: 10n, timeMs: NOW + 5, content: key('content') });
          expect(ledger.answered(key('other'))).toBeUndefined();
        },
      );
    });
  });

  describe('what became of an answer', () => {
    it('is that it was paid, that it is reserved, or that it has ended', () => {
      both(
        (ledger) => {
          receipt(ledger.authorize(spend({ idempotency: key('paid') })));
          receipt(ledger.reserve(spend({ idempotency: key('open') })));
          receipt(ledger.settle(receipt(ledger.reserve(spend({ idempotency: key('settled') }))).receiptId, 1n, NOW));
          receipt(ledger.release(receipt(ledger.reserve(spend({ idempotency: key('released') }))).receiptId, NOW));
        },
        (ledger) => {
          const states = ['paid', 'open', 'settled', 'released'].map((name) => ledger.answered(key(name))?.state);
          expect(states).toEqual(['paid', 'reserved', 'ended', 'ended']);
        },
      );
    });
  });

  describe('payments in a window', () => {
    it('are those after its start: one exactly at the start is out', () => {
      both(
        (ledger) => {
          for (const ms of [0, 10, 20]) receipt(ledger.authorize(spend({ timeMs: NOW + ms })));
        },
        (ledger) => {
          expect(ledger.paymentsSince(key('g'), NOW - 1)).toBe(3);
          expect(ledger.paymentsSince(key('g'), NOW)).toBe(2);
          expect(ledger.paymentsSince(key('g'), NOW + 19)).toBe(1);
          expect(ledger.paymentsSince(key('g'), NOW + 20)).toBe(0);
          expect(ledger.paymentsSince(key('g2'), 0)).toBe(0);
        },
      );
    });

    it('include reservations, open, settled and released', () => {
      both(
        (ledger) => {
          receipt(ledger.reserve(spend()));
          receipt(ledger.settle(receipt(ledger.reserve(spend())).receiptId, 1n, NOW));
          receipt(ledger.release(receipt(ledger.reserve(spend())).receiptId, NOW));
        },
        (ledger) => expect(ledger.paymentsSince(key('g'), 0)).toBe(3),
      );
    });
  });

  describe('a reservation', () => {
    it('counts as spent at once, and is open', () => {
      both(
        (ledger) => void receipt(ledger.reserve(spend())),
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(10n);
          expect(ledger.openReservations()).toMatchObject([
            { amount: 10n, timeMs: NOW, grant: key('g'), budget: key('b') },
          ]);
        },
      );
    });

    it('counts with the final amount once it is settled', () => {
      both(
        (ledger) => {
          const { receiptId } = receipt(ledger.reserve(spend()));
          expect(ledger.settle(receiptId, 4n, NOW + 9)).toMatchObject({ amount: 4n, timeMs: NOW + 9 });
        },
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(4n);
          expect(ledger.budgetTotal(key('b'))).toBe(4n);
          expect(ledger.openReservations()).toEqual([]);
        },
      );
    });

    it('may be settled for all of it', () => {
      both(
        (ledger) => void receipt(ledger.settle(receipt(ledger.reserve(spend())).receiptId, 10n, NOW)),
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(10n);
          expect(ledger.openReservations()).toEqual([]);
          expect(ledger.problem).toBeUndefined();
        },
      );
    });

    it('may not be settled for more', () => {
      both(
        (ledger) => {
          const { receiptId } = receipt(ledger.reserve(spend()));
          expect(ledger.settle(receiptId, 11n, NOW)).toMatchObject({ code: 'AMOUNT_EXCEEDED' });
        },
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(10n);
          expect(ledger.openReservations()).toHaveLength(1);
        },
      );
    });

    it('may not be settled for nothing, or for less than nothing', () => {
      both(
        (ledger) => {
          const { receiptId } = receipt(ledger.reserve(spend()));
          for (const amount of [0n, -1n])
            expect(ledger.settle(receiptId, amount, NOW), String(amount)).toHaveProperty('code');
        },
        (ledger) => expect(ledger.grantTotal(key('g'))).toBe(10n),
      );
    });

    it('no longer counts once it is released', () => {
      both(
        (ledger) => void receipt(ledger.release(receipt(ledger.reserve(spend())).receiptId, NOW)),
        (ledger) => {
          expect(ledger.grantTotal(key('g'))).toBe(0n);
          expect(ledger.budgetTotal(key('b'))).toBe(0n);
          expect(ledger.openReservations()).toEqual([]);
        },
      );
    });

    it('ends once', () => {
      both(
        (ledger) => {
          const settled = receipt(ledger.reserve(spend())).receiptId;
          const released = receipt(ledger.reserve(spend())).receiptId;
          receipt(ledger.settle(settled, 4n, NOW));
          receipt(ledger.release(released, NOW));
          for (const ended of [settled, released]) {
            expect(ledger.settle(ended, 1n, NOW)).toMatchObject({ code: 'RESERVATION_NOT_FOUND' });
            expect(ledger.release(ended, NOW)).toMatchObject({ code: 'RESERVATION_NOT_FOUND' });
          }
        },
        (ledger) => expect(ledger.grantTotal(key('g'))).toBe(4n),
      );
    });

    it('must exist: neither a payment nor a number nobody was given is one', () => {
      const { ledger } = open();
      const { receiptId } = receipt(ledger.authorize(spend()));
      for (const id of [receiptId, 0, -1, 999, 1.5, Number.NaN, 2 ** 32 + receiptId]) {
        expect(ledger.settle(id, 1n, NOW), String(id)).toMatchObject({ code: 'RESERVATION_NOT_FOUND' });
        expect(ledger.release(id, NOW), String(id)).toMatchObject({ code: 'RESERVATION_NOT_FOUND' });
      }
      expect(ledger.grantTotal(key('g'))).toBe(10n);
    });

    it('of an earlier run can be ended', () => {
      const { ledger, again } = open();
      const { receiptId } = receipt(ledger.reserve(spend()));
      const later = again();
      receipt(later.settle(receiptId, 3n, NOW));
      expect(later.grantTotal(key('g'))).toBe(3n);
    });
  });

  describe('receipts', () => {
    it('have numbers that ascend and are never used twice', () => {
      const { ledger, again } = open();
      const first = [receipt(ledger.authorize(spend())), receipt(ledger.reserve(spend()))].map(
        (item) => item.receiptId,
      );
      const later = again();
      first.push(receipt(later.authorize(spend())).receiptId);
      expect(new Set(first).size).toBe(3);
      expect(first).toEqual([...first].sort((a, b) => a - b));
    });
  });

  describe('the time floor', () => {
    it('is zero at first, and moves forward only', () => {
      const { ledger, again } = open();
      expect(ledger.timeFloorMs()).toBe(0);
      ledger.raiseTimeFloor(NOW);
      ledger.raiseTimeFloor(NOW - 1);
      expect(ledger.timeFloorMs()).toBe(NOW);
      expect(again().timeFloorMs()).toBe(NOW);
    });

    it('is moved by the issue of a bundle, and not by its expiry', () => {
      both(
        (ledger) => {
          ledger.admitted('a', newest(NOW, NOW + 1000));
          ledger.admitted('b', newest(NOW - 5, NOW + 9000));
          ledger.admitted('c', newest(undefined, NOW + 9000));
        },
        (ledger) => expect(ledger.timeFloorMs()).toBe(NOW),
      );
    });

    it('is not moved by payments: their time comes from the clock', () => {
      both(
        (ledger) => void receipt(ledger.authorize(spend())),
        (ledger) => expect(ledger.timeFloorMs()).toBe(0),
      );
    });
  });

  describe('the newest bundle', () => {
    it('is known by identity', () => {
      both(
        (ledger) => {
          ledger.admitted('a', newest(NOW, NOW + 1));
          ledger.admitted('b', newest(undefined, NOW + 2));
        },
        (ledger) => {
          expect(ledger.newestBundle('a')).toEqual(newest(NOW, NOW + 1));
          expect(ledger.newestBundle('b')).toEqual(newest(undefined, NOW + 2));
          expect(ledger.newestBundle('c')).toBeUndefined();
        },
      );
    });

    it('is the latest issue and the latest expiry there ever were', () => {
      both(
        (ledger) => {
          ledger.admitted('a', newest(NOW, NOW + 9));
          ledger.admitted('a', newest(undefined, NOW + 10));
          ledger.admitted('a', newest(NOW + 1, NOW + 2));
        },
        (ledger) => expect(ledger.newestBundle('a')).toEqual(newest(NOW + 1, NOW + 10)),
      );
    });

    it('may have been issued before 1970', () => {
      both(
        (ledger) => void ledger.admitted('a', newest(-1000, NOW)),
        (ledger) => expect(ledger.newestBundle('a')).toEqual(newest(-1000, NOW)),
      );
    });
  });
}
